"""What PyPI `nemreader`, `greenbutton-objects` and `dsmr-parser` make of files of meters.

Reads one JSON object on standard input and prints one: energy in whole Wh by meter and register. Positives, and which
telegrams `dsmr-parser` refuses. What else must be refused is asserted from the standards in the crate's own tests.
"""

import json
import sys
import types
from decimal import ROUND_HALF_UP, Decimal

WH = {"wh": 1, "kwh": 1_000, "mwh": 1_000_000}


def whole(wh):
    """Each interval by itself, half up."""
    return int(Decimal(wh).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def nem12(path):
    """By register. The package's tables need pandas and a database; its reader needs neither."""
    package = types.ModuleType("nemreader")
    package.__path__ = [next(f"{place}/nemreader" for place in sys.path if has(f"{place}/nemreader"))]
    sys.modules["nemreader"] = package
    sys.modules.setdefault("pandas", types.SimpleNamespace(DataFrame=object))
    from nemreader.nem_reader import NEMFile

    found = {}
    for meter, registers in NEMFile(path).nem_data().readings.items():
        for name, readings in registers.items():
            unit = [WH.get(one.uom.lower()) for one in readings]
            if None not in unit:
                wh = [whole(Decimal(str(one.read_value)) * factor) for one, factor in zip(readings, unit)]
                found[f"{meter} {name}"] = sum(wh)
    return found


def has(path):
    import os

    return os.path.isdir(path)


def espi(path):
    """By direction, of what is counted in Wh; an hour that comes twice counts once."""
    from greenbutton_objects.parse import parse_feed

    found = {}
    for point in parse_feed(path):
        meter = point.link_self.rsplit("/", 1)[1]
        for reading in point.meterReadings:
            kind = reading.readingType
            if kind.uom.value != 72:
                continue
            way = {1: "forward", 19: "reverse"}[kind.flowDirection.value]
            power = Decimal(10) ** kind.powerOfTenMultiplier
            hours = {one.timePeriod.start: whole(one._value * power) for one in reading.intervalReadings}
            found[f"{meter} {way}"] = sum(hours.values())
    return found


def dsmr(path):
    """What counters rose by, and how many telegrams' check sums do not fit."""
    from dsmr_parser import telegram_specifications as versions
    from dsmr_parser.exceptions import InvalidChecksumError
    from dsmr_parser.parsers import TelegramParser

    with open(path, newline="") as file:
        text = file.read()
    parts = ["/" + part for part in text.split("/")[1:]]
    version = versions.BELGIUM_FLUVIUS if "0-0:96.1.4(" in text else versions.V5 if "1-3:0.2.8(50)" in text else versions.V4
    parser = TelegramParser(version)
    counters, refused = {}, 0
    for part in parts:
        try:
            telegram = parser.parse(part)
        except InvalidChecksumError:
            refused += 1
            continue
        used = [telegram.ELECTRICITY_USED_TARIFF_1, telegram.ELECTRICITY_USED_TARIFF_2]
        given = [telegram.ELECTRICITY_DELIVERED_TARIFF_1, telegram.ELECTRICITY_DELIVERED_TARIFF_2]
        at = telegram.P1_MESSAGE_TIMESTAMP.value.timestamp()
        counters[at] = [whole(sum(one.value for one in both) * 1_000) for both in (used, given)]
    first, last = counters[min(counters)], counters[max(counters)]
    return {"import": last[0] - first[0], "export": last[1] - first[1], "refused": refused}


question = json.load(sys.stdin)
print(json.dumps({"nem12": nem12, "espi": espi, "dsmr": dsmr}[question["what"]](question["path"])))
