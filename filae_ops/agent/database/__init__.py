"""The application's database: PostgreSQL, the check of a migration, what a rollback may go back to."""
