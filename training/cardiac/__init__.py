"""Reference networks of gst-cardiac in PyTorch, and readers and writers of its model files."""
from .modelfile import ModelError, read_model_file, write_model_file
from .run import load_model, run_mmsa, run_mreg, run_mreg_head, run_xclip, run_yolov8

__all__ = ["ModelError", "load_model", "read_model_file", "run_mmsa", "run_mreg", "run_mreg_head", "run_xclip",
           "run_yolov8", "write_model_file"]
