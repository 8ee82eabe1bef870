"""How many annotated conditions become a sure `when:`, and which: python scripts/eval_whens.py ../shared/eval [--list]

The quotes are the annotators', so the figure is that of the reader of conditions alone, not of the decomposer before it. With --list the
expressions are printed with their counts, without the sentences of the texts.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.text import cut_clauses
from policies.decompose.definitions import meanings, number_words, short_names
from policies.decompose.examples import Annotated, place
from policies.decompose.expressions import Proposal, Proposer, own_places, places_of_offices
from policies.decompose.learn import load_annotated
from profiles.dictionary import builtin_dictionary
from profiles.tables import division_codes, industry_codes

PLACES = {"本区": "120116*", "本市": "12*", "本省": "12*"}


def proposals(doc: Annotated) -> Iterator[tuple[str, Proposal]]:
    """(kind, proposal) of every annotated condition of a document, read where it stands."""
    told = own_places([doc.gold.get("title", ""), doc.gold.get("issuer", "")])
    named = places_of_offices(doc.text, division_codes())
    own = {**{n: w for n, w in named.items() if w not in told.values()}, **told}
    words, short = number_words(doc.clauses), short_names(doc.clauses)
    proposer = Proposer(
        builtin_dictionary(),
        PLACES,
        own,
        industry_codes(),
        words,
        short,
        division_codes(),
        meanings(doc.clauses),
    )
    cuts = cut_clauses(doc.text)
    for holder in (doc.gold.get("general") or {}, *doc.gold["items"]):
        near = [cuts[c - 1] for c in holder.get("clauses", []) if 1 <= c <= len(cuts)]
        for entry in holder.get("conditions", []):
            span = place(doc.text, entry, near)
            yield entry["kind"], proposer.propose(entry["quote"], doc.text, span[0] if span else -1)


def main() -> None:
    """Print the shares, and with --list the expressions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("root", type=Path)
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args()
    every: list[tuple[str, Proposal]] = [x for doc in load_annotated(given.root) for x in proposals(doc)]
    sure = [x for x in every if x[1].sure]
    new = [x for x in sure if any(leaf.new for leaf in x[1].leaves)]
    partly = [x for x in every if x[1].parts]
    total = max(len(every), 1)
    print(
        f"{len(every)} conditions; sure {len(sure)} ({len(sure) / total:.1%}), of them {len(new)} on proposed indicators"
    )
    print(f"cut into sure and asked parts {len(partly)} ({len(partly) / total:.1%})")
    _by_kind(every)
    if given.list:
        for told, n in Counter(p.told.removeprefix("when: ") for _, p in sure).most_common():
            print(f"{n}\t{told}")


def _by_kind(every: list[tuple[str, Any]]) -> None:
    counts = Counter(kind for kind, _ in every)
    held = Counter(kind for kind, p in every if p.sure)
    for kind, n in counts.most_common():
        print(f"  {kind:10s} {held[kind]:4d} of {n}")


if __name__ == "__main__":
    main()
