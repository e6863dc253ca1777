"""Cards of the real datasets, with the tasks that they share with their builders. Light."""
