"""The one task list: tasks, their lists, tags, categories and recurrence."""
