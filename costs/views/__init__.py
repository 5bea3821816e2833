"""Every page that shows money: the dashboard, companies, providers."""
