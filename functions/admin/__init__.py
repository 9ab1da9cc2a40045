"""The admin API: one Lambda per resource, each an app of `shared.admin_api`."""
