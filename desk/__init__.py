"""工作台: the office's, the firm's and the public's pages."""
