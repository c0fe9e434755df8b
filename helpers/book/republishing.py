"""Say which published tables are older than the code, so that no reader takes one for a run of today."""

from __future__ import annotations

from helpers.book import results
from helpers.book.results import ResultNote
from helpers.markup import join_words
from helpers.project import Project
from helpers.runs import notebooks, profiles
from helpers.runs.notebooks import Parameters
from helpers.runs.profiles import Profile

# Folds, intervals, outlines and saliency maps were corrected before this day (*Fixed* in CHANGELOG.md). Runs of earlier
# days precede the corrections.
CORRECTED = "2026-11-29"
PUBLISH = "python -m helpers publish "


def changed_parameters(note: ResultNote) -> list[str]:
    """List the parameters of a published run whose value the profile or the chapter has changed since, sorted.

    Args:
        note: origin of the table; one of a benchmark, or of a profile or chapter that the project lacks, has none.
    """
    path = Project.current().profiles / f"{note.command.removeprefix(PUBLISH)}.yaml"
    if not note.command.startswith(PUBLISH) or not path.is_file():
        return []
    profile = profiles.read_profile(path)
    now, then = _values(profile), note.parameters
    if not profile.grid:
        made_by = note.made_by.removeprefix("chapter ")
        now, then = {name: values for name, values in now.items() if name == made_by}, {made_by: then}
    changed = set()
    for chapter, values in now.items():
        before = then.get(chapter, {})
        changed |= {name for name in values.keys() | before.keys() if name not in values.keys() & before.keys()}
        changed |= {name for name in values.keys() & before.keys() if values[name] != before[name]}
    return sorted(changed)


def _values(profile: Profile) -> dict[str, Parameters]:
    """Return the parameters of every chapter of a profile, by its name without number; with the grid of a sweep."""
    return {
        notebooks.chapter_name(name): chapter.values(profile.relevant_grid(name))
        for name, chapter in profile.notebooks.items()
    }


def parameters_line(note: ResultNote) -> str:
    """Return a line on a table whose run had other parameters than its profile has now; empty if they are the same."""
    changed = changed_parameters(note)
    if not changed:
        return ""
    listed = join_words([f"`{name}`" for name in changed])
    return f"*Its run had other parameters than the profile has now ({listed}); to be published again.*"


def summary() -> str:
    """Return a warning in MyST Markdown that names the tables whose runs precede the corrections; empty without one."""
    names = sorted(path.stem for path in Project.current().results.glob("*.csv"))
    commands: dict[str, int] = {}
    for name in names:
        note = results.read_result(name)[1]
        if note.finished[:10] < CORRECTED:
            run = note.command.removeprefix(PUBLISH)
            commands[run] = commands.get(run, 0) + 1
    if not commands:
        return ""
    listed = join_words([f"`{run}` ({number})" for run, number in sorted(commands.items())])
    return (
        f":::{{warning}}\n{sum(commands.values())} of {len(names)} tables come from runs before {CORRECTED}, which "
        "precede corrections to folds, intervals, outlines and saliency maps (*Fixed* in `CHANGELOG.md`); in them, "
        "intervals over fewer than ten groups and intervals of [1, 1] are too narrow. The commit under each table "
        "identifies its code. They will be published again. By run, with the number of tables: "
        f"{listed}.\n:::\n"
    )
