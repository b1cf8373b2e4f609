"""What anyone may see of a worker whose owner allows it: a badge and a status page, and nothing else."""

from html import escape

from slipway.workers.models import UptimeAnswer
from slipway.workers.rules import Liveness

BADGE_DAYS = 30
_COLOURS = {
    Liveness.HEALTHY: "#2e7d32",
    Liveness.LATE: "#b26a00",
    Liveness.DOWN: "#c62828",
    Liveness.NEW: "#546e7a",
    Liveness.RETIRED: "#546e7a",
}
_LABEL_WIDTH, _CHARACTER_WIDTH, _PADDING = 52, 7, 12


def _share(percent: float | None) -> str:
    return "no data" if percent is None else f"{percent:.2f} %"


def badge_svg(status: Liveness, percent: float | None) -> str:
    """Return a badge with the status and the percentage that was observed in the last 30 days."""
    text = status.value if percent is None else f"{status.value} {_share(percent)}"
    width = len(text) * _CHARACTER_WIDTH + _PADDING
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABEL_WIDTH + width}" height="20" role="img" '
        f'aria-label="uptime: {text}"><title>uptime: {text}</title>'
        f'<rect width="{_LABEL_WIDTH}" height="20" fill="#37474f"/>'
        f'<rect x="{_LABEL_WIDTH}" width="{width}" height="20" fill="{_COLOURS[status]}"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{_LABEL_WIDTH / 2}" y="14">uptime</text>'
        f'<text x="{_LABEL_WIDTH + width / 2}" y="14">{text}</text></g></svg>'
    )


def status_page(wallet: str, status: Liveness, found: UptimeAnswer) -> str:
    """Return the status page: the status, the percentages of the last 30 days, and each day's."""
    days = "".join(
        f"<tr><td>{day.date}</td><td>{'before its enrolment' if day.percent is None else _share(day.percent)}</td></tr>"
        for day in reversed(found.days)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Worker {escape(wallet)}</title><style>body{{font:16px system-ui,sans-serif;max-width:40rem;"
        "margin:2rem auto;padding:0 1rem}h1{font-size:1.1rem;overflow-wrap:anywhere}"
        f"td{{padding:.1rem 1rem .1rem 0}}b{{color:{_COLOURS[status]}}}</style>"
        f"<h1>Worker {escape(wallet)}</h1><p><b>{status.value}</b></p>"
        f"<p>Observed in the last {BADGE_DAYS} days: {_share(found.percent)}. "
        f"With what was reported later: {_share(found.reported_percent)}.</p><table>{days}</table></html>"
    )
