#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the demo's data: 40 applicants, 300 jobs, and the answers of a judge whose taste nobody is told.

    make_data.py FOLDER [SEED]

An applicant has a trade, and describes it in the trade's own words ("pandas, notebooks"); the jobs that the trade
wants say the same in the employers' words ("airflow, data warehouse"), so that the two hardly share one. The words
they do share mislead: every trade has a field of jobs that borrows its words and that it does not want. Beside the
field, the judge weighs seniority and place of work, which both sides only hint at, and what kind of employer it is:
each applicant loves one kind and shuns another, and no text says which. So there is something that a cosine gets
wrong, something that is learnt from other applicants, and something that only one's own answers tell.

    jobs.jsonl                   300 jobs: id, text {...}
    veterans.jsonl               28 applicants: id, text {...}
    veterans-answers.jsonl       their judgements, of 150 jobs each drawn from all
    newcomers.jsonl              12 applicants more
    newcomers-answers.jsonl      their judgements of the first 20 jobs
    held-out.qrels               their judgements of the other 280: APPLY 3, SAVE 2, CLICK 1, IGNORE 0

Only Random.random() is used, which Python keeps the same in every version, so the same seed gives the same bytes.
"""
import json
import os
import random
import sys

VETERANS, NEWCOMERS, JOBS, SEEN, JUDGED = 28, 12, 300, 20, 150
LABELS = [("APPLY", 3, 0.08), ("SAVE", 2, 0.16), ("CLICK", 1, 0.28), ("IGNORE", 0, 1.0)]  # share of jobs, from the best

# trade: its own words and tools; the employers' titles and tools; the field that borrows its words.
TRADES = {
    "data": dict(
        own=["python", "pandas", "notebooks", "regression", "charts", "statistics"],
        titles=["Data Engineer", "Analytics Engineer", "Warehouse Modeller"],
        tools=["airflow", "kafka", "data warehouse", "lineage", "streaming", "dbt"], lure="office"),
    "web": dict(
        own=["javascript", "html", "page layouts", "animation", "browsers", "php"],
        titles=["Interface Developer", "Front-end Engineer", "Accessibility Engineer"],
        tools=["react", "design tokens", "wcag", "component library", "typescript", "rendering"], lure="shop"),
    "care": dict(
        own=["nursing", "first aid", "patients", "night shifts", "bedside", "wound dressing"],
        titles=["Ward Coordinator", "Clinical Educator", "Triage Lead"],
        tools=["care plans", "discharge", "handover protocol", "medication audit", "telehealth", "infection control"],
        lure="hotel"),
    "school": dict(
        own=["teaching", "lessons", "marking", "classrooms", "pupils", "parents evenings"],
        titles=["Curriculum Designer", "Learning Technologist", "Training Partner"],
        tools=["instructional design", "moodle", "assessment rubrics", "workshops", "facilitation", "e-learning"],
        lure="care"),
    "hotel": dict(
        own=["cooking", "kitchens", "menus", "guests", "front desk", "banquets"],
        titles=["Food Buyer", "Hospitality Manager", "Catering Planner"],
        tools=["procurement", "haccp", "rostering", "supplier audit", "yield planning", "allergen matrix"],
        lure="freight"),
    "freight": dict(
        own=["forklift", "lorries", "pallets", "loading", "parcels", "depot"],
        titles=["Supply Planner", "Fleet Scheduler", "Customs Analyst"],
        tools=["route optimisation", "telematics", "incoterms", "demand forecast", "wms", "slot booking"],
        lure="energy"),
    "energy": dict(
        own=["wiring", "fuse boards", "soldering", "ladders", "meters", "cable runs"],
        titles=["Grid Technician", "Solar Commissioner", "Building Controls Engineer"],
        tools=["scada", "inverters", "substation", "bms", "heat pumps", "load balancing"], lure="web"),
    "office": dict(
        own=["spreadsheets", "invoices", "filing", "ledgers", "minutes", "calendars"],
        titles=["Financial Controller", "Payroll Specialist", "Compliance Officer"],
        tools=["ifrs", "reconciliation", "month-end close", "audit trail", "treasury", "erp"], lure="data"),
    "shop": dict(
        own=["tills", "shelves", "customers", "window displays", "stocktaking", "returns"],
        titles=["Category Manager", "Store Systems Lead", "Visual Merchandiser"],
        tools=["planograms", "pricing", "assortment", "footfall", "omnichannel", "loyalty scheme"], lure="school"),
}
LEVELS = [  # what the applicant says, what the job's title and text say
    (["just qualified", "one year in", "fresh from college"], "Junior", ["mentoring is given", "no record is asked for"]),
    (["five years in", "four years of it", "six years by now"], "", ["works on its own", "some years behind you"]),
    (["fifteen years in", "two decades of it", "half a working life"], "Senior",
     ["leads a team", "a long record is asked for"]),
]
PLACES = [
    (["small children at home", "lives far from any town", "cares for a parent"],
     ["from home", "remote", "any hour, any place"]),
    (["likes company at work", "lives in the middle of town", "keeps work and home apart"],
     ["at our site", "in the building", "on the premises"]),
    (["travels light", "never two weeks in one place", "speaks four languages"],
     ["with travel", "at our clients", "between our branches"]),
]
EMPLOYERS = ["a young company", "a charity", "a public body", "a family firm", "a listed group"]
SOFT = ["teamwork", "communication", "care with detail", "calm under pressure", "initiative", "planning", "listening"]
PHRASES = ["we offer", "good pay", "a friendly team", "apply now", "room to grow", "full training", "a lively place",
           "busy"]


class Dice:
    """Draws by random() alone."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return int(self.random() * n)

    def one(self, things):
        return things[self.below(len(things))]

    def some(self, things, n):
        things = list(things)
        return [things.pop(self.below(len(things))) for _ in range(n)]


def job(dice, number):
    trade = list(TRADES)[number % len(TRADES)]
    words = TRADES[trade]
    level, place, employer = dice.below(3), dice.below(3), dice.below(len(EMPLOYERS))
    lured = [t for t in TRADES if TRADES[t]["lure"] == trade]  # the trades whose words this field borrows
    borrowed = dice.some(TRADES[dice.one(lured)]["own"], dice.below(3))
    tools = dice.some(words["tools"], 3) + borrowed
    if dice.random() < 0.6:
        tools.append(dice.one(words["own"]))  # now and then the trade's own word too
    title = " ".join(filter(None, [LEVELS[level][1], dice.one(words["titles"])]))
    hints = f"{dice.one(LEVELS[level][2])}, {dice.one(PLACES[place][1])}; {', '.join(dice.some(PHRASES, 3))}"
    text = dict(title=title, description=f"{EMPLOYERS[employer]}: {hints}", technical_skills=", ".join(tools),
                soft_skills=", ".join(dice.some(SOFT, 2)))
    return dict(trade=trade, level=level, place=place, employer=employer, line=dict(id=f"j{number + 1:03}", text=text))


def applicant(dice, number):
    trade = list(TRADES)[number % len(TRADES)]
    level, place = dice.below(3), dice.below(3)
    loves, shuns = dice.some(range(len(EMPLOYERS)), 2)
    bio = f"{dice.one(LEVELS[level][0])}, {dice.one(PLACES[place][0])}; {', '.join(dice.some(PHRASES, 2))}"
    skills = dice.some(TRADES[trade]["own"], 5) + dice.some(SOFT, 2)
    return dict(trade=trade, level=level, place=place, loves=loves, shuns=shuns,
                line=dict(id=f"a{number + 1:02}", text=dict(bio=bio, skills=", ".join(skills))))


def liking(dice, a, j):
    """The judge's hidden taste for one pair, with a little whim."""
    field = 1.0 if j["trade"] == a["trade"] else -0.5 if TRADES[a["trade"]]["lure"] == j["trade"] else 0.0
    near = 1 - abs(a["level"] - j["level"])  # 1, 0, -1
    there = 1 if a["place"] == j["place"] else -0.5
    boss = (j["employer"] == a["loves"]) - (j["employer"] == a["shuns"])
    return field + 0.25 * near + 0.2 * there + 0.5 * boss + 0.1 * (dice.random() + dice.random() - 1)


def judge(dice, a, jobs):
    """A label and its grade for every job, by the job's place in the applicant's own order."""
    scores = [liking(dice, a, j) for j in jobs]
    order = sorted(range(len(jobs)), key=lambda n: -scores[n])
    answers = [None] * len(jobs)
    for place, n in enumerate(order):
        answers[n] = next((label, grade) for label, grade, share in LABELS if place < share * len(jobs))
    return answers


def write(folder, name, lines):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def main():
    folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 42
    dice = Dice(seed)
    jobs = [job(dice, n) for n in range(JOBS)]
    applicants = [applicant(dice, n) for n in range(VETERANS + NEWCOMERS)]
    veterans, newcomers, qrels = [], [], []
    for number, a in enumerate(applicants):
        answers, veteran = judge(dice, a, jobs), number < VETERANS
        for n in sorted(dice.some(range(JOBS), JUDGED)) if veteran else range(SEEN):
            line = json.dumps(dict(user=a["line"]["id"], item=jobs[n]["line"]["id"], label=answers[n][0]))
            (veterans if veteran else newcomers).append(line)
        for n in () if veteran else range(SEEN, JOBS):
            qrels.append(f"{a['line']['id']} 0 {jobs[n]['line']['id']} {answers[n][1]}")
    lines = [json.dumps(a["line"]) for a in applicants]
    os.makedirs(folder, exist_ok=True)
    write(folder, "jobs.jsonl", [json.dumps(j["line"]) for j in jobs])
    write(folder, "veterans.jsonl", lines[:VETERANS])
    write(folder, "veterans-answers.jsonl", veterans)
    write(folder, "newcomers.jsonl", lines[VETERANS:])
    write(folder, "newcomers-answers.jsonl", newcomers)
    write(folder, "held-out.qrels", qrels)


if __name__ == "__main__":
    main()
