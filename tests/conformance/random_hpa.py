#!/usr/bin/env python3
"""Writes random cases for the HPA's stages, answered by a second reading of its rules in plain fractions.

  tests/conformance/random_hpa.py --cases 20000 --seed 1 >cases.json
  build/release/conformance cases.json

It shares nothing with src/core and has no windows into it: where the two differ, one of them has misread the rules.
"""

import argparse
import json
import random
import sys
from fractions import Fraction

sys.dont_write_bytecode = True
LONG_AGO = 10**9
MOST = 2**31 - 1


def ceil(value):
    return -(-value // 1)


def clamp(count):
    return max(-2**31, min(MOST, int(count)))


def ago(age):
    """The time of an age, counted from now."""
    return -LONG_AGO if age is None else -age


# The rules.

def group(case, resource, pods, samples):
    """Names of the ready, unready, missing and ignored pods."""
    groups = {"ready": [], "unready": [], "missing": [], "ignored": []}
    for pod in pods:
        groups[kind_of(case, resource, pod, samples.get(pod["name"]))].append(pod["name"])
    return groups


def kind_of(case, resource, pod, sample):
    if pod["deleted"] or pod["phase"] == "Failed":
        return "ignored"
    if pod["phase"] == "Pending":
        return "unready"
    if sample is None:
        return "missing"
    if resource != "cpu":
        return "ready"
    if not pod.get("has_ready_condition", True) or not pod.get("has_start_time", True):
        return "unready"
    start, changed = ago(pod["start_age_s"]), ago(pod["ready_transition_age_s"])
    if start + case["cpu_init_period_s"] > 0:
        unready = pod["ready"] is False or ago(sample["age_s"]) < changed + sample["window_s"]
    else:
        unready = pod["ready"] is False and changed < start + case["initial_readiness_delay_s"]
    return "unready" if unready else "ready"


def within(ratio, tolerance):
    return 1 - Fraction(str(tolerance["down"])) <= ratio <= 1 + Fraction(str(tolerance["up"]))


def by_pod(case, metric, current):
    pods, samples = case["pods"], metric["samples"]
    if not samples:
        return {"error": "no_metrics"}
    if not pods:
        return {"error": "no_pods"}
    groups = group(case, metric["resource"], pods, samples)
    left_out = groups["unready"] + groups["ignored"]
    held = {name: sample["value"] for name, sample in samples.items() if name not in left_out}
    if not held:
        return {"error": "no_metrics"}
    requests = {pod["name"]: pod.get("request_milli") for pod in pods}
    percent = metric["kind"] == "resource_utilization"
    if percent and None in requests.values():
        return {"error": "missing_request"}
    target = metric["target_percent" if percent else "target_milli"]

    def measure():
        if not percent:
            return sum(held.values()) // len(held)
        known = [name for name in held if name in requests]
        requested = sum(requests[name] for name in known)
        return 100 * sum(held[name] for name in known) // requested if requested else None

    measured = measure()
    if measured is None:
        return {"error": "no_known_pod_matched"}
    told = {"utilization_percent" if percent else "usage_milli": measured}
    ratio = Fraction(measured, target)
    fill_unready = bool(groups["unready"]) and ratio > 1
    if not fill_unready and not groups["missing"]:
        near = within(ratio, case["tolerance"])
        return told | {"replicas": current if near else clamp(ceil(ratio * len(groups["ready"])))}
    for name in groups["missing"] if ratio != 1 else []:
        full = requests[name] * max(100, target) // 100 if percent else target
        held[name] = full if ratio < 1 else 0
    for name in groups["unready"] if fill_unready else []:
        held[name] = 0
    filled = Fraction(measure(), target)
    count = clamp(ceil(filled * len(held)))
    stays = (within(filled, case["tolerance"]) or ratio < 1 < filled or ratio > 1 > filled
             or (filled < 1 and count > current) or (filled > 1 and count < current))
    return told | {"replicas": current if stays else count}


def by_service(case, metric, current, running):
    total, target = min(sum(metric["values_milli"]), 2**63 - 1), metric["target_milli"]
    if metric["kind"].endswith("_average"):
        near = running and within(Fraction(total, target * running), case["tolerance"])
        told = {"usage_milli": ceil(Fraction(total, running))} if running else {}
        return told | {"replicas": running if near else clamp(ceil(Fraction(total, target)))}
    ratio = Fraction(total, target)
    if current == 0:
        return {"usage_milli": total, "replicas": clamp(ceil(ratio))}
    if within(ratio, case["tolerance"]):
        return {"usage_milli": total, "replicas": current}
    if not case["pods"]:
        return {"error": "no_pods"}
    serving = sum(1 for pod in case["pods"] if pod["phase"] == "Running" and pod["ready"] is True)
    return {"usage_milli": total, "replicas": clamp(ceil(ratio * serving))}


def recommend(case, metric, current, running):
    if metric["kind"] == "invalid":
        return {"error": "invalid_metric"}
    if "samples" in metric:
        return by_pod(case, metric, current)
    return by_service(case, metric, current, running)


def policy_limit(current, ups, downs, rules, up):
    if rules["select"] == "Disabled":
        return current
    allowed = []
    for policy in rules["policies"]:
        young = [sum(e["change"] for e in events if e["age_s"] < policy["period_s"]) for events in (ups, downs)]
        start, value = current - young[0] + young[1], policy["value"]
        if policy["type"] == "Pods":
            allowed.append(start + value if up else start - value)
        elif up:
            allowed.append(int(ceil(Fraction(start * (100 + value), 100))))
        else:
            allowed.append(int(Fraction(start * (100 - value), 100)))  # cut towards zero
    furthest = max if up else min
    nearest = min if up else max
    return (nearest if rules["select"] == "Min" else furthest)(allowed)


def upper(case, fast):
    high = case["max_replicas"]
    return min(fast, high), "ScaleUpLimit" if high > fast else "TooManyReplicas"


def rate_limit(case, current, desired, up_rules, down_rules):
    ups, downs = case["scale_up_events"], case["scale_down_events"]
    if desired > current:
        fast = max(current, policy_limit(current, ups, downs, up_rules, True))
        if desired > min(fast, case["max_replicas"]):
            return upper(case, fast)
    if desired < current:
        fast = min(current, policy_limit(current, ups, downs, down_rules, False))
        if desired < max(fast, case["min_replicas"]):
            low = case["min_replicas"]
            return max(fast, low), "ScaleDownLimit" if low < fast else "TooFewReplicas"
    return desired, "DesiredWithinRange"


def legacy_limit(case, current, desired):
    fast = max(2 * current, 4)
    if desired < case["min_replicas"]:
        return case["min_replicas"], "TooFewReplicas"
    if desired > min(fast, case["max_replicas"]):
        return upper(case, fast)
    return desired, "DesiredWithinRange"


def stabilize(recommendations, current, desired, up_window, down_window):
    low = min([desired] + [r["replicas"] for r in recommendations if r["age_s"] < up_window])
    high = max([desired] + [r["replicas"] for r in recommendations if r["age_s"] < down_window])
    return min(max(current, low), high)


def remembered(recommendations, desired, window):
    history = [r["replicas"] for r in recommendations]
    old = [i for i, r in enumerate(recommendations) if r["age_s"] > window]
    if old:
        history[old[-1]] = desired
    else:
        history.append(desired)
    return history


def reconcile(case):
    current, low, high = case["spec_replicas"], case["min_replicas"], case["max_replicas"]
    if current == 0 and low != 0:
        return {"replicas": 0, "conditions": {"ScalingActive": "ScalingDisabled", "AbleToScale": "SucceededGetScale"}}
    if not low <= current <= high:
        return {"replicas": min(max(current, low), high), "conditions": {"AbleToScale": "SucceededRescale"}}
    said = [recommend(case, metric, current, case["status_replicas"]) for metric in case["metrics"]]
    valid = [one["replicas"] for one in said if "replicas" in one]
    if not valid or (len(valid) < len(said) and max(valid) < current):
        return {"replicas": current, "conditions": {"ScalingActive": False}}
    best, behavior = max(valid), case["behavior"]
    seed = [{"replicas": current, "age_s": 0}]
    past = seed if case["recommendations"] == "seed" else case["recommendations"]
    if behavior is None:
        stable = max([best] + [r["replicas"] for r in past if r["age_s"] <= case["down_window_s"]])
        desired, limited = legacy_limit(case, current, stable)
    else:
        up, down = behavior["scale_up"], behavior["scale_down"]
        stable = stabilize(past, current, best, up["stabilization_window_s"], down["stabilization_window_s"])
        desired, limited = rate_limit(case, current, stable, up, down)
    able = "ScaleUpStabilized" if stable < best else "ScaleDownStabilized" if stable > best else "ReadyForNewScale"
    return {"replicas": desired, "conditions": {"ScalingActive": "ValidMetricFound", "ScalingLimited": limited,
                                                "AbleToScale": able if desired == current else "SucceededRescale"}}


# The cases.

class Cases:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def one_of(self, *values):
        return self.random.choice(values)

    def some(self, make, *counts):
        return [make() for _ in range(self.one_of(*counts))]

    def pod(self, number, told_whole):
        pod = {"name": f"p{number}", "phase": self.one_of(*["Running"] * 7, "Pending", "Failed", "Succeeded"),
               "deleted": self.random.random() < 0.08, "ready": self.random.random() < 0.8,
               "start_age_s": self.one_of(None, 0, 30, 60, 119, 120, 121, 180, 600),
               "ready_transition_age_s": self.one_of(None, 0, 10, 20, 30, 50, 60, 110, 170, 590, 594)}
        if not told_whole:
            return pod | {"request_milli": self.one_of(None, *[100, 250, 1000, 1000, 2000] * 12)}
        pod |= {"has_start_time": self.random.random() < 0.9, "has_ready_condition": self.random.random() < 0.9}
        return pod if pod["has_ready_condition"] else pod | {"ready": None}

    def pods(self, told_whole=False):
        return [self.pod(i, told_whole) for i in range(self.one_of(0, 1, 2, 3, 4, 6, 10))]

    def samples(self, pods, strangers):
        names = [pod["name"] for pod in pods if self.random.random() < 0.85]
        if strangers and self.random.random() < 0.1:
            names.append("stranger")
        return {name: {"value": self.random.randrange(3000), "age_s": self.one_of(None, 0, 10, 15, 30, 60, 90),
                       "window_s": self.one_of(0, 15, 30, 60)} for name in names}

    def metric(self, pods):
        kind = self.one_of(*["resource_utilization", "pods"] * 2, "object_value", "external_value", "object_average",
                           "external_average")
        if kind == "resource_utilization":
            return {"kind": kind, "resource": self.one_of("cpu", "memory"), "samples": self.samples(pods, True),
                    "target_percent": self.one_of(3, 10, 30, 50, 55, 70, 90, 100, 120, 300)}
        if kind == "pods":
            return {"kind": kind, "resource": self.one_of(None, "cpu"), "samples": self.samples(pods, True),
                    "target_milli": self.one_of(100, 333, 500, 1000, 2000)}
        return {"kind": kind, "resource": None, "target_milli": self.one_of(1, 100, 333, 1000, 5000),
                "values_milli": self.some(lambda: self.random.randrange(self.one_of(1, 2000, 20000)), 1, 1, 2, 3)}

    def rules(self):
        def policy():
            return {"type": self.one_of("Pods", "Percent"), "period_s": self.one_of(15, 60, 120),
                    "value": self.one_of(1, 2, 4, 10, 12, 50, 68, 80, 90, 100, 150)}
        return {"select": self.one_of("Max", "Max", "Min", "Min", "Disabled"),
                "stabilization_window_s": self.one_of(0, 0, 60, 300), "policies": self.some(policy, 1, 2, 3)}

    def events(self):
        return self.some(lambda: {"change": self.random.randrange(1, 12),
                                  "age_s": self.one_of(5, 14, 15, 16, 59, 60, 61, 119, 120, 121)}, 0, 0, 1, 2, 3)

    def recommendations(self):
        return self.some(lambda: {"replicas": self.random.randrange(30),
                                  "age_s": self.one_of(1, 59, 60, 61, 299, 300, 301, 600)}, 0, 1, 2, 3, 4)

    def common(self):
        tolerance = [self.one_of(0.1, 0.1, 0.01, 0, 0.36, 2.0) for _ in range(2)]
        return {"tolerance": {"up": tolerance[0], "down": tolerance[1]}, "cpu_init_period_s": 120,
                "initial_readiness_delay_s": 10}

    def counts(self):
        return {"current_replicas": self.one_of(0, 1, 2, 3, 5, 10, 25, 50, 100),
                "desired_replicas": self.one_of(0, 1, 3, 9, 20, 60, 500), "min_replicas": self.one_of(0, 1, 2, 5),
                "max_replicas": self.one_of(6, 10, 50, 1000)}

    def recommend(self):
        pods = self.pods()
        case = self.common() | {"pods": pods, "metric": self.metric(pods),
                                "current_replicas": self.one_of(0, 1, len(pods), len(pods), len(pods) + 2)}
        current = case["current_replicas"]
        return case, recommend(case, case["metric"], current, current)

    def group_pods(self):
        pods = self.pods(told_whole=True)
        case = self.common() | {"pods": pods, "samples": self.samples(pods, False),
                                "resource": self.one_of("cpu", "cpu", "memory", None)}
        groups = group(case, case["resource"], pods, case["samples"])
        return case, {"ready_count": len(groups.pop("ready"))} | groups

    def limit(self):
        case = {"direction": self.one_of("up", "down"), "rules": self.rules(), "scale_up_events": self.events(),
                "scale_down_events": self.events(), "current_replicas": self.counts()["current_replicas"]}
        return case, {"limit": policy_limit(case["current_replicas"], case["scale_up_events"],
                                            case["scale_down_events"], case["rules"], case["direction"] == "up")}

    def rate_limit(self):
        case = self.counts() | {"scale_up": self.rules(), "scale_down": self.rules(), "scale_up_events": self.events(),
                                "scale_down_events": self.events()}
        replicas, reason = rate_limit(case, case["current_replicas"], case["desired_replicas"], case["scale_up"],
                                      case["scale_down"])
        return case, {"replicas": replicas, "reason": reason}

    def legacy_limit(self):
        case = self.counts()
        replicas, reason = legacy_limit(case, case["current_replicas"], case["desired_replicas"])
        return case, {"replicas": replicas, "reason": reason}

    def stabilize(self):
        case = self.counts() | {"recommendations": self.recommendations(), "up_window_s": self.one_of(0, 60, 300),
                                "down_window_s": self.one_of(0, 60, 300)}
        past, desired, windows = case["recommendations"], case["desired_replicas"], (case["up_window_s"],
                                                                                     case["down_window_s"])
        return case, {"replicas": stabilize(past, case["current_replicas"], desired, *windows),
                      "history": remembered(past, desired, max(windows))}

    def reconcile(self):
        pods = self.pods()
        wanted = self.one_of(0, 1, len(pods), len(pods), len(pods), 12)
        case = self.common() | {
            "pods": pods, "min_replicas": self.one_of(0, 1, 1, 2), "max_replicas": self.one_of(3, 6, 20, 100),
            "metrics": self.some(lambda: self.one_of(*[self.metric(pods)] * 3, {"kind": "invalid"}), 1, 1, 2, 3),
            "spec_replicas": wanted, "status_replicas": self.one_of(wanted, wanted, max(0, wanted - 1), wanted + 1),
            "down_window_s": 300,
            "behavior": self.one_of(None, {"scale_up": self.rules(), "scale_down": self.rules()}),
            "recommendations": self.one_of("seed", self.recommendations()), "scale_up_events": self.events(),
            "scale_down_events": self.events()}
        return case, reconcile(case)


STAGES = ["recommend", "recommend", "reconcile", "reconcile", "group_pods", "limit", "rate_limit", "legacy_limit",
          "stabilize"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    wanted = parser.parse_args()
    cases = Cases(wanted.seed)
    vectors = []
    for number in range(wanted.cases):
        stage = STAGES[number % len(STAGES)]
        told, expected = getattr(cases, stage)()
        vectors.append({"id": f"{stage} {number}", "stage": stage, "input": told, "expect": expected})
    json.dump({"vectors": vectors}, sys.stdout)


if __name__ == "__main__":
    main()
