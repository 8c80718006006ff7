"""What a device tells of its meter by itself, and what is known of it without a round trip."""

from dataclasses import replace

from daemon_metering.bench import ZSH, Bench
from fob_daemon.control.interface import ControlEvent
from fob_daemon.control.office_reports import MeterChange
from fob_daemon.device.back_office import BackOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.journal import Journal
from fob_daemon.metering.reports import MeterReport
from fob_daemon.relay.office import NoOffice
from support.fake_device_office import FakeDeviceOffice


async def test_events_of_a_meter() -> None:
    device, told = FakeDeviceOffice(), list[ControlEvent]()
    office = BackOffice(lambda: "pixel", device, Timeouts(), NoOffice(), told.append)
    device.say("+FOBMETER", 12, 9905, "", 95, 1)
    assert told == [office.meter] == [MeterChange("pixel", 12, 9905, "", 95, 1)]
    device.say("+FOBMETER", 13, 9810, "broken-chain", 190, 2)
    assert office.meter == MeterChange("pixel", 13, 9810, "broken-chain", 190, 2)
    device.say("+FOBMETER", "x")
    assert office.meter.counter == 13
    # Counted and told as every other event.
    Journal().tell(office.meter)
    await office.close()


async def test_what_is_known_costs_no_round_trip(bench: Bench) -> None:
    assert await bench.desk.report("pixel", None) is None
    await bench.desk.state()
    bench.link.asked.clear()
    known = await bench.desk.known()
    assert known is not None
    assert await bench.desk.report("pixel", None) == MeterReport("pixel", known, 0, 0)
    # What the data centre did by itself the device tells; what is older than an answer is nothing new.
    told = await bench.desk.report("pixel", MeterChange("pixel", 5, 200, "", 99_800, 7))
    assert told == MeterReport("pixel", replace(known, counter=5, descending=200, ascending=99_800, pieces=7), 0, 0)
    assert await bench.desk.report("pixel", MeterChange("pixel", 0, 1, "")) == MeterReport("pixel", known, 0, 0)
    faulty = await bench.desk.report("pixel", MeterChange("pixel", 5, 200, "log-rewritten"))
    assert faulty is not None
    assert faulty.meter.fault == "log-rewritten"
    assert bench.link.asked == []
    await bench.desk.frank(await bench.begin(1), ZSH, lambda done: None)
    report = await bench.desk.report("pixel", None)
    assert report is not None
    assert (report.last, report.meter.counter, report.meter.name) == (95, 2, "ada")
