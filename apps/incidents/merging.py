"""What a call is after a source said something of it. Pure: dated statements in, the state of the call out."""

from dataclasses import dataclass, replace

from apps.incidents.observations import CallReport

UNRANKED = 9



@dataclass(frozen=True)
class CallFacts:
    """The state of a call as of one statement. Times in microseconds since 1970; degrees (WGS 84), None: unlocated."""

    sequence: int
    observed_us: int
    received_us: int
    state: str
    opened_us: int
    closed_us: int | None = None
    type: str = ""
    priority: str = ""
    rank: int = UNRANKED
    address: str = ""
    cross_streets: str = ""
    units: tuple[str, ...] = ()
    narrative: str = ""
    lon: float | None = None
    lat: float | None = None
    uncertainty_m: float | None = None
    boundaries: tuple[int, ...] = ()


def merge(report: CallReport, *, before: CallFacts | None, received_us: int, ranks: dict[str, int]) -> CallFacts:
    """Return the call as the report leaves it; what the report does not mention stays as it was."""
    old = before or CallFacts(report.sequence, report.observed_us, received_us, report.state, report.opened_us or report.observed_us)
    located = report.lon is not None and report.lat is not None
    priority = old.priority if report.priority is None else report.priority
    return replace(
        old,
        sequence=report.sequence,
        observed_us=report.observed_us,
        received_us=received_us,
        state=report.state,
        opened_us=old.opened_us if report.opened_us is None else report.opened_us,
        closed_us=report.observed_us if report.state == "closed" else None,
        type=old.type if report.type is None else report.type,
        priority=priority,
        rank=ranks.get(priority, UNRANKED),
        address=old.address if report.address is None else report.address,
        cross_streets=old.cross_streets if report.cross_streets is None else report.cross_streets,
        units=old.units if report.units is None else tuple(report.units),
        narrative=old.narrative if report.narrative is None else report.narrative,
        lon=report.lon if located else old.lon,
        lat=report.lat if located else old.lat,
        uncertainty_m=old.uncertainty_m if report.uncertainty_m is None else report.uncertainty_m,
    )


def close(before: CallFacts, *, sequence: int, observed_us: int, received_us: int) -> CallFacts:
    """Return the call as a board leaves it that no longer lists it."""
    return replace(before, sequence=sequence, observed_us=observed_us, received_us=received_us, state="closed", closed_us=observed_us)


def says_the_same(report: CallReport, known: CallFacts) -> bool:
    """Whether every field that the report carries is what is known already, times and sequence apart."""
    pairs = [
        (report.state, known.state),
        (report.type, known.type),
        (report.priority, known.priority),
        (report.opened_us, known.opened_us),
        (report.address, known.address),
        (report.cross_streets, known.cross_streets),
        (tuple(report.units) if report.units is not None else None, known.units),
        (report.narrative, known.narrative),
        (report.lon, known.lon),
        (report.lat, known.lat),
        (report.uncertainty_m, known.uncertainty_m),
    ]
    return all(said is None or said == held for said, held in pairs)
