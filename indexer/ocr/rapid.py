"""RapidOCR as the engine: PP-OCR models inside its package, run by onnxruntime on one thread.

The sessions are made, and used once, before the server forks: a fork opens no file and starts no thread, and with one
thread to a session it needs neither.
"""

from collections.abc import Sequence
from typing import Any

from PIL import Image

from indexer.ocr.engine import Line


class RapidEngine:
    """PP-OCR for simplified and traditional Chinese, Latin letters and digits.

    Lines that stand on their head are not turned here: the whole page is (``indexer.ocr.page``), or its lines would
    come in the wrong order.

    Raises:
        ImportError: the extra ``ocr`` is not installed.
    """

    def __init__(self) -> None:
        import numpy as np  # noqa: PLC0415  (an extra, loaded where it is used)
        from rapidocr import RapidOCR  # noqa: PLC0415

        self._array: Any = np.asarray
        self._engine: Any = RapidOCR(
            params={
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.text_score": 0.0,  # what is doubtful is judged by the page, not left out here
            }
        )
        blank = Image.new("RGB", (320, 48), "white")
        self.read(blank)
        self.read_line(blank)

    def read(self, image: Image.Image) -> Sequence[Line]:
        """Find lines and read them, as ``Engine`` asks."""
        found = self._engine(self._pixels(image), use_det=True, use_rec=True, use_cls=False)
        if found.boxes is None or found.txts is None:
            return ()
        return [
            Line(tuple((float(x), float(y)) for x, y in box), str(text), float(score))  # type: ignore[arg-type]  # four
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]

    def read_line(self, image: Image.Image) -> tuple[str, float]:
        """Read one line, as ``Engine`` asks."""
        found = self._engine(self._pixels(image), use_det=False, use_rec=True, use_cls=False)
        return (str(found.txts[0]), float(found.scores[0])) if found.txts else ("", 0.0)

    def _pixels(self, image: Image.Image) -> Any:
        return self._array(image.convert("RGB"))[:, :, ::-1]  # it takes blue first
