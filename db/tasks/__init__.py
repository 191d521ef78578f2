"""The task list that all contracts share: tasks, lists of them, tags, categories and recurrence."""
