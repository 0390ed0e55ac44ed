# SPDX-License-Identifier: BSD-3-Clause
"""The no-drop rate after RFC 2544 section 26.1, by halving."""


def search(trial, fastest, loss_percent, resolution_percent, show):
    """trial(pps) gives a list of results, one for each direction; all have to pass. The first trial is
    as fast as the generator and the link can: what was really sent then is the most there is to find. The
    answer is what was really sent in the fastest trial that passed."""

    def attempt(pps):
        results = trial(pps)
        show(results)
        return (min(r["sent_pps"] for r in results),
                all(r["sent"] and r["loss_percent"] <= loss_percent for r in results), results)

    sent, good, results = attempt(fastest)
    trials = [results]
    if good:
        return {"pps": sent, "limited": False, "trials": trials}
    best, low, high = 0.0, 0.0, sent
    step = sent * resolution_percent / 100
    while high - low > step:
        sent, good, results = attempt((low + high) / 2)
        trials.append(results)
        if good:
            best, low = max(best, sent), (low + high) / 2
        else:
            high = (low + high) / 2
    return {"pps": best, "limited": True, "trials": trials}
