"""A lab's words for a terminal; pure."""

from __future__ import annotations

from lpiclab.model import Lab, LabText, Language

_WORDS = {
    "en": {"then": "Then and now", "tasks": "Tasks", "points": "points", "minutes": "minutes"},
    "ja": {"then": "昔と今", "tasks": "課題", "points": "点", "minutes": "分"},
}


def render_story(lab: Lab, text: LabText, language: Language) -> str:
    """Return title, story, the slides' commands and today's, and the tasks with their points."""
    words = _WORDS[language]
    parts = [f"# {text.title}", f"{lab.id} · {', '.join(lab.objectives)} · {lab.minutes} {words['minutes']}"]
    parts.append(text.story)
    if text.then_and_now:
        parts += [f"## {words['then']}", text.then_and_now]
    return "\n\n".join([*parts, render_tasks(lab, text, language)]) + "\n"


def render_tasks(lab: Lab, text: LabText, language: Language) -> str:
    """Return the tasks with their points."""
    words = _WORDS[language]
    parts = [f"## {words['tasks']}"]
    for task in lab.tasks:
        of_task = text.tasks[task.id]
        parts += [f"### {task.id}: {of_task.title} ({task.points} {words['points']})", of_task.body]
    return "\n\n".join(parts)
