# SPDX-License-Identifier: MIT
"""Pictures of the page of dq-serve: each view, as wide as a phone and as a screen, light and dark.

    serve_pictures.py DEMO JOBS FOLDER
"""
import sys

from serve_browser import Browser


def main():
    demo, jobs, folder = sys.argv[1:4]
    b = Browser()
    try:
        b.open(demo + "/#/data")
        b.click("#init-form button.main")
        b.says("#news", "Made")
        b.open(demo + "/#/training")
        b.fill("#episodes", 50)
        b.click("#train-form button.main")
        b.says("#job-words", "of 50")
        b.wait(lambda: not b.all("#cancel")[0].is_displayed(), "the training does not end")
        for name, base in (("demo", demo), ("jobs", jobs)):
            b.open(base)
            user = b.get("/api/users?limit=3")["users"][1]["user_id"]
            item = b.get("/api/items?limit=3")["items"][0]["item_id"]
            views = {"data": ("", "#data-charts canvas"), "training": ("", "#train-form"), "users": (user, "#users .detail h3"),
                     "items": (item, "#items .detail h3"), "recommend": (user, "#shown .card .facts, #shown .card .prose"),
                     "models": (user, "#values table")}
            for view, (which, there) in views.items():
                for width, least in ((360, 780), (1400, 900)):
                    b.size(width, least)
                    b.open(f"{base}/#/{view}/{which}" if which else f"{base}/#/{view}")
                    b.one(there)
                    for scheme in ("light", "dark"):
                        b.scheme(scheme)
                        b.size(width, max(least, min(4000, b.run("return document.documentElement.scrollHeight"))))
                        b.run("return new Promise(done => setTimeout(done, 300))")  # Chart.js follows a change of size late
                        b.picture(f"{folder}/{name}-{view}-{width}-{scheme}.png")
                    b.size(width, least)
    finally:
        b.close()


main()
