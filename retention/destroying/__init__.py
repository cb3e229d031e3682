"""Destruction 销毁: from a list to its signed certificate. What erases is elsewhere."""
