from __future__ import annotations

from numebot.charts.sweeps import sweep_page
from numebot.core.sweeps import Trial, TrialState

TRIALS = [
    Trial(0, TrialState.COMPLETE, {"depth": 3, "rate": 0.123456}, 0.01, (0.02, 0.01)),
    Trial(1, TrialState.COMPLETE, {"depth": 5, "rate": 0.2}, 0.03, (0.03, 0.03)),
    Trial(2, TrialState.PRUNED, {"depth": 7, "rate": 0.2}, None, (-0.01,)),
    Trial(3, TrialState.FAILED, {"depth": 9, "rate": 0.2}, error="depth <9> is too deep"),
    Trial(4, TrialState.COMPLETE, {"depth": 6, "rate": 0.2}, 0.03, (0.03, 0.03)),
]


def test_the_page_has_plots_and_every_trial_and_no_markup_of_others() -> None:
    page = sweep_page("m@8/abc", "corr_mean", TRIALS, {"depth": 0.75, "rate": 0.25})
    assert page.count("<circle") == 3
    assert page.count("<rect") == 2
    assert page.count("<tr>") == 1 + len(TRIALS)
    assert "depth &lt;9&gt; is too deep" in page
    assert "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "Too few" in sweep_page("m", "corr_mean", [], {})
