"""``.. exercise:: Title`` and ``.. solution::``: numbered on each page; the solution is folded until it is wanted."""

from __future__ import annotations

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Exercise(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        number = self.env.temp_data["exercises"] = self.env.temp_data.get("exercises", 0) + 1
        box = nodes.admonition(classes=["exercise"], ids=[f"exercise-{number}"])
        parsed, messages = self.parse_inline(self.arguments[0])
        box += nodes.title("", "", nodes.Text(f"Exercise {number}. "), *parsed)
        box += self.parse_content_to_nodes()
        return [box, *messages]


class Solution(SphinxDirective):
    """The solution of the exercise above it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        if not (number := self.env.temp_data.get("exercises")):
            raise self.error("a solution follows its exercise")
        return [
            nodes.raw("", f'<details class="solution"><summary>Solution of exercise {number}</summary>', format="html"),
            *self.parse_content_to_nodes(),
            nodes.raw("", "</details>", format="html"),
        ]


def setup(app):
    app.add_directive("exercise", Exercise)
    app.add_directive("solution", Solution)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
