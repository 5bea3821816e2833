"""The ground floor: what knows no domain and no app – days, secrets, database, commands, CSV, tables, paging."""
