"""What the product says about Prism alone."""

from providers.type_words import FigureWords, Guide, TypeWords

WORDS = TypeWords(
    name="Prism",
    pricing_takes="an hour",
    name_example="Studio Prism",
    key_label="Access token",
    key_help="Copy it from Prism's console; it begins with “prism-”.",
    key_pattern=r"\bprism-[\w-]{8,}",
    guide=Guide(
        title="Get a token in Prism",
        steps=("Open Prism's console.", "Create a token that may read billing."),
        permissions=(("billing.read", "Needed: requests and costs of the whole account."),),
    ),
    keyless_name="Playground",
    keyless_explained="What is tried in Prism's playground carries no token.",
    plan_unit="requests",
    disabled_reasons={"budget_reached": "Its budget is used up"},
)

FIGURES = {
    "cost": FigureWords("What Prism charges, to the cent."),
    "requests": FigureWords("Calls that Prism has answered.", note="as Prism counts them"),
}
