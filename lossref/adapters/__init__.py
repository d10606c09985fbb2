"""Where lossref meets other libraries, one file for each. None is imported before it is asked for."""
