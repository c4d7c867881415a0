#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is in a picture of dq-eval, for tests: picture.py WHAT FILE.svg

texts    x, y and words of every text
lines    colour, dashes ("solid"), least and greatest x and y of every path that is a curve or a bar
frames   least and greatest x and y of the axes of every panel
"""
import re
import sys
import xml.etree.ElementTree as tree

SVG = "{http://www.w3.org/2000/svg}"


def texts(group):
    for text in group.iter(f"{SVG}text"):
        yield "".join(text.itertext())


def print_texts(root):
    for group in root.iter(f"{SVG}g"):
        place = re.match(r"translate\(([-\d.]+),([-\d.]+)\)", group.get("transform", ""))
        for words in texts(group) if place and group.find(f"{SVG}text") is not None else ():
            print(f"{float(place[1]):.0f}\t{float(place[2]):.0f}\t{words.strip()}")


def numbers(path):
    points = re.findall(r"[ML]?\s*([-\d.]+),([-\d.]+)", path)
    return [float(x) for x, _ in points], [float(y) for _, y in points]


def print_lines(root):
    for plot in root.iter(f"{SVG}g"):
        if not plot.get("id", "").startswith("gnuplot_plot"):
            continue
        for shape in plot.iter():
            points = shape.get("d") or shape.get("points")
            colour = shape.get("stroke") if shape.get("stroke") not in (None, "none") else shape.get("fill")
            if shape.tag in (f"{SVG}path", f"{SVG}polygon") and points and colour:
                x, y = numbers(points)
                dashes = shape.get("stroke-dasharray", "solid").replace(" ", "")
                print(f"{colour.replace(' ', '')}\t{dashes}\t{min(x):.1f}\t{max(x):.1f}\t{min(y):.1f}\t{max(y):.1f}")


def print_frames(root):
    for path in root.iter(f"{SVG}path"):
        if path.get("stroke", "").replace(" ", "") == "rgb(96,100,104)" and path.get("d", "").count("L") == 2:
            x, y = numbers(path.get("d"))
            print(f"{min(x):.1f}\t{max(x):.1f}\t{min(y):.1f}\t{max(y):.1f}")


{"texts": print_texts, "lines": print_lines, "frames": print_frames}[sys.argv[1]](tree.parse(sys.argv[2]).getroot())
