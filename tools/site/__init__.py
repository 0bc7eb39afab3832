"""The site: pages written by people from docs/, and pages made of the rules, the descriptions and the measurements.

``python -m tools.site`` builds it into ``build/site`` and fails if a link leads nowhere or a page asks another host
for something. ``docs/zensical.toml`` says how it looks and in which order its pages stand.
"""
