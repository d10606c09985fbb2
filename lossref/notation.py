"""The letters of the book: the name of each quantity in the code, and how mathematics writes it."""

SYMBOLS = {
    "pred": r"\hat y",
    "target": "y",
    "delta": r"\delta",
    "label_smoothing": r"\varepsilon",
    "pos_weight": r"\omega",
    "w": "w",
    "step": r"\eta",
    "x1": "x_1",
    "x2": "x_2",
    "curvature": r"\kappa",
    "lam": r"\lambda",
    "l1": r"\lambda_1",
    "l2": r"\lambda_2",
}
