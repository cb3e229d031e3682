"""Appraisals 鉴定: a panel judges records whose term has run out; nothing is destroyed by that alone."""
