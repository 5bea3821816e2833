"""People: roles and who may open what, invitations, second factors, single sign-on, sessions."""
