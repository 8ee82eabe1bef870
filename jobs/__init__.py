"""任务: nightly batch, push, fulfilment clocks, schedule and the command line."""
