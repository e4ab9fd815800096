"""One mutant, hunted until its own clause is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kv_reference.mutants import Mutant
from kv_reference.verdicts import Violation
from kv_spec.machines import Plan
from kv_spec.operations import Program

from kv_conformance import real_time
from kv_conformance.hunt import Caught, Hunt
from kv_conformance.phases import machines, programs, sweep, vectors
from kv_conformance.phases.course import Course
from kv_conformance.settings import BUDGETS, PHASES, SWEPT, programs_of
from kv_conformance.subject.offer import look
from kv_conformance.trial import Trial, trial_of

LONGEST: Final = 8
"""Operations that a shrunk program has at the most; Fill counts as one."""
_BUDGET: Final = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of hunting one mutant from one seed.

    `operations` are the calls of the store up to the violation that led to the finding, without
    those of shrinking; `seconds` are from the start to the end of shrinking. `program` is None,
    and `phase` empty, where the clause was not reported; `trouble` says why if it is known.
    `others` are the clauses that were reported before, or instead.
    """

    mutant: str
    clause: str
    seed: int
    operations: int
    seconds: float
    phase: str = ""
    program: Program | None = None
    steady: bool = True
    trouble: str = ""
    others: tuple[str, ...] = ()

    @property
    def wrong(self) -> str | None:
        """Why this does not count as caught; None if it does."""
        if self.trouble:
            return self.trouble
        if self.program is None:
            instead = f"; reported instead: {', '.join(self.others)}" if self.others else ""
            return f"missed{instead}"
        if not self.steady:
            return "seen, and not seen again when the program was repeated"
        if len(self.program) > LONGEST:
            return f"caught by {len(self.program)} operations, more than {LONGEST}"
        return None


class Enough(BaseException):
    """The clause is reported, and the rest of the run would show nothing more.

    No error, so that Hypothesis lets it through at once, as it does an interruption.
    """


class Seeker(Hunt):
    """A hunt that ends when all of `clauses` are reported, by raising Enough."""

    def __init__(self, trial: Trial, reference: Trial, clauses: frozenset[str]) -> None:
        super().__init__(trial, reference, lambda _: None)
        self.clauses = clauses
        self.operations = 0
        self._shrinking = 0

    def investigate(self, program: Program, violation: Violation) -> Caught | None:
        """Looks into a violation; see Hunt."""
        before = self.trial.subject.silence.calls
        self.operations = before - self._shrinking
        caught = super().investigate(program, violation)
        if self.clauses <= self.caught.keys():
            raise Enough
        self._shrinking += self.trial.subject.silence.calls - before
        return caught


def caught_by(mutant: Mutant, phases: Sequence[str], seed: int) -> Result:
    """Runs the phases on a mutant, in the order of a run, until its clause is reported."""
    began = real_time.perf_counter()
    trial = trial_of(mutant.store, mutant.profile)
    seeker = Seeker(trial, reference_of(mutant), frozenset({mutant.clause}))
    phase, trouble = "", ""
    try:
        plan = plan_of(trial)
        for phase in (name for name in PHASES if name in phases):
            run_phase(phase, seeker, plan, seed, of=phases)
    except Enough:
        pass
    except Exception as error:
        trouble = f"{type(error).__name__}: {error}"
    finally:
        close(trial)
    seconds = real_time.perf_counter() - began
    caught = seeker.caught.get(mutant.clause)
    return Result(
        mutant=mutant.name,
        clause=mutant.clause,
        seed=seed,
        operations=trial.subject.silence.calls if caught is None else seeker.operations,
        seconds=seconds,
        phase="" if caught is None else phase,
        program=None if caught is None else caught.program,
        steady=caught is None or caught.steady,
        trouble=trouble,
        others=tuple(clause for clause in seeker.caught if clause != mutant.clause),
    )


def run_phase(name: str, hunt: Hunt, plan: Plan, seed: int, *, of: Sequence[str] = ()) -> None:
    """Runs one phase as the command does; `of` are the phases of the run."""
    if name == "vectors":
        owed = vectors.programs(plan.profile, plan.offers, plan.time, races=plan.races)
        programs.run(hunt, [program for _, program in owed])
    elif name == "machines":
        machines.run(hunt, plan, seed=seed, examples=programs_of(_BUDGET, of))
    else:
        sweep.run(hunt, sweep.beside(plan, of), Course(seed, BUDGETS[_BUDGET] * SWEPT))


def plan_of(trial: Trial) -> Plan:
    """What the phases need to know of a mutant, read off its methods."""
    opened = trial.subject.factory.open("look")
    offer = look(opened.original, trial.profile, trial.subject.shared)
    opened.close()
    races = "cas-swap" in offer.capabilities
    return Plan(trial.profile, offer.capabilities, offer.not_offered, races=races)


def reference_of(mutant: Mutant) -> Trial:
    """The reference under the profile of a mutant."""
    return trial_of(profile=mutant.profile)


def close(trial: Trial) -> None:
    """Ends the event loop of an asynchronous store."""
    if trial.subject.factory.bridge is not None:
        trial.subject.factory.bridge.close()
