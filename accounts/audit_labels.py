"""What the audit log calls the acts of this app."""

from core.audit import AuditGroup, register_labels
from costs.audit_labels import EXPORTS

MEMBERS = AuditGroup(9, "members", "Members")
SECURITY = AuditGroup(10, "security", "Sign-in and security")


def register() -> None:
    register_labels(
        {
            "audit.exported": "Audit log exported",
        },
        group=EXPORTS,
    )
    register_labels(
        {
            "member.created": "First admin made",
            "member.deactivated": "Member deactivated",
            "member.invitation_withdrawn": "Invitation withdrawn",
            "member.invited": "Member invited",
            "member.joined": "Member joined",
            "member.password_link_made": "Password link made",
            "member.reactivated": "Member reactivated",
            "member.removed": "Member removed",
            "member.role_changed": "Role changed",
            "member.single_sign_on_unlinked": "Single sign-on unlinked",
        },
        group=MEMBERS,
    )
    register_labels(
        {
            "password.changed": "Password changed",
            "password.reset": "Password chosen by a link",
            "session.ended_elsewhere": "Signed out everywhere else",
            "session.failures_summed": "Failed sign-ins, summed up",
            "session.sign_in_failed": "Sign-in failed",
            "session.signed_in": "Signed in",
            "session.signed_out": "Signed out",
            "two_factor.disabled": "Second factor removed",
            "two_factor.enabled": "Second factor added",
            "two_factor.recovery_codes_made": "Recovery codes made",
            "two_factor.reset": "Two-factor reset",
        },
        group=SECURITY,
    )
