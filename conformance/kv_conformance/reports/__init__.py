"""Reports: each a reader of the events.

`base` names the formats and opens them; a format's own module is imported when it is asked for.
To write one: fold the events with `record.Record`, and draw what it has gathered.
"""
