//! The parts of a feed that say something of energy, out of its XML.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::collect::Collector;
use crate::limits::{
    ATTRIBUTES_MAX, ENTRIES_MAX, INTERVALS_MAX, XML_DEPTH_MAX, XML_TEXT_BYTES_MAX,
};
use crate::{Quality, ReadError, Reason};

/// What is read of a feed.
#[derive(Debug, Default)]
pub(super) struct Feed {
    /// The first stands for what is in no entry.
    pub(super) entries: Vec<FeedEntry>,
    pub(super) values: Vec<Value>,
}

/// One entry: its links, and what it describes.
#[derive(Debug, Default)]
pub(super) struct FeedEntry {
    pub(super) own: Option<String>,
    pub(super) up: Option<String>,
    pub(super) related: Vec<String>,
    pub(super) is_reading: bool,
    pub(super) kind: Option<ReadingType>,
    /// A usage point's `ServiceCategory`: 0 is electricity.
    pub(super) service: Option<i64>,
}

impl FeedEntry {
    /// The usage point in its address.
    pub(super) fn point(&self) -> Option<&str> {
        let mut addresses = self.own.iter().chain(&self.up);
        addresses.find_map(|address| {
            let (_, rest) = address.split_once("UsagePoint/")?;
            rest.split('/').next().filter(|point| !point.is_empty())
        })
    }
}

/// What the values of a meter reading are.
#[derive(Debug, Default)]
pub(super) struct ReadingType {
    pub(super) unit: Option<i64>,
    /// Power of ten of its values.
    pub(super) multiplier: i32,
    pub(super) direction: Option<i64>,
    pub(super) commodity: Option<i64>,
    pub(super) accumulation: Option<i64>,
    pub(super) length_s: Option<i64>,
    pub(super) tariff: Option<i64>,
}

impl ReadingType {
    pub(super) const NOTHING: Self = Self {
        unit: None,
        multiplier: 0,
        direction: None,
        commodity: None,
        accumulation: None,
        length_s: None,
        tariff: None,
    };
}

/// One interval reading.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) line: usize,
    /// Index of the entry it is in.
    pub(super) entry: usize,
    pub(super) start_s: i64,
    pub(super) length_s: Option<i64>,
    pub(super) text: String,
    pub(super) quality: Quality,
}

/// An interval reading that has begun.
#[derive(Default)]
struct Open {
    line: usize,
    start_s: Option<i64>,
    length_s: Option<i64>,
    text: String,
    substituted: bool,
}

struct Walk<'a> {
    collector: &'a mut Collector,
    feed: Feed,
    /// Names of the elements around, without prefixes.
    path: Vec<String>,
    /// Text of the element that has begun last.
    text: String,
    open: Option<Open>,
    line: usize,
    /// How far lines have been counted.
    counted: usize,
}

/// Reads a feed's XML.
pub(super) fn read(text: &str, collector: &mut Collector) -> Result<Feed, ReadError> {
    let mut reader = Reader::from_str(text);
    let mut walk = Walk {
        collector,
        feed: Feed { entries: vec![FeedEntry::default()], values: Vec::new() },
        path: Vec::new(),
        text: String::new(),
        open: None,
        line: 1,
        counted: 0,
    };
    loop {
        let event = reader.read_event();
        walk.count_lines(text, reader.buffer_position());
        let line = walk.line;
        match event.map_err(|_| ReadError::Xml { line, what: "the XML is not well formed" })? {
            Event::Start(start) => walk.start(&start)?,
            Event::Empty(start) => {
                walk.start(&start)?;
                walk.end()?;
            }
            Event::End(_) => walk.end()?,
            Event::Text(part) => walk.add_text(&part),
            Event::CData(part) => walk.add_text(&part),
            // Not resolved: no number has one, and two addresses with the same one are still equal.
            Event::GeneralRef(_) => walk.add_text("&"),
            Event::DocType(_) => {
                return Err(ReadError::Xml { line, what: "a document type is not allowed" });
            }
            Event::Eof if walk.path.is_empty() => return Ok(walk.feed),
            Event::Eof => return Err(ReadError::Xml { line, what: "the XML ends too early" }),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

impl Walk<'_> {
    fn count_lines(&mut self, text: &str, position: u64) {
        let to = usize::try_from(position).unwrap_or(usize::MAX).min(text.len());
        let passed = text.as_bytes().get(self.counted..to).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.counted = to.max(self.counted);
    }

    /// The index of the entry that is being read.
    fn current(&self) -> usize {
        let inside = self.path.iter().any(|name| name == "entry");
        if inside { self.feed.entries.len() - 1 } else { 0 }
    }

    fn entry(&mut self) -> &mut FeedEntry {
        let index = self.current();
        &mut self.feed.entries[index]
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), ReadError> {
        let name = start.local_name();
        let name: &str = name.as_ref();
        let line = self.line;
        if self.path.len() == XML_DEPTH_MAX {
            return Err(ReadError::TooMany { line, what: "levels of XML", limit: XML_DEPTH_MAX });
        }
        self.path.push(name.chars().take(XML_TEXT_BYTES_MAX).collect());
        self.text.clear();
        match name {
            "entry" if self.feed.entries.len() == ENTRIES_MAX => {
                return Err(ReadError::TooMany { line, what: "entries", limit: ENTRIES_MAX });
            }
            "entry" => self.feed.entries.push(FeedEntry::default()),
            "link" => self.link(start)?,
            "MeterReading" => self.entry().is_reading = true,
            "ReadingType" => self.entry().kind = Some(ReadingType::default()),
            "IntervalReading" => self.open = Some(Open { line, ..Open::default() }),
            _ => {}
        }
        Ok(())
    }

    fn link(&mut self, start: &BytesStart<'_>) -> Result<(), ReadError> {
        let (line, mut relation, mut address) = (self.line, None, None);
        let mut attributes = start.attributes();
        // The check is for names that come twice; the last one counts here.
        attributes.with_checks(false);
        for (index, attribute) in attributes.enumerate() {
            if index == ATTRIBUTES_MAX {
                return Err(ReadError::TooMany { line, what: "attributes", limit: ATTRIBUTES_MAX });
            }
            let Ok(attribute) = attribute else {
                return Err(ReadError::Xml { line, what: "an attribute is not well formed" });
            };
            let value: &str = attribute.value.as_ref();
            if value.len() > XML_TEXT_BYTES_MAX {
                continue;
            }
            let key: &str = attribute.key.as_ref();
            match key {
                "rel" => relation = Some(value.to_owned()),
                "href" => address = Some(value.trim_end_matches('/').to_owned()),
                _ => {}
            }
        }
        let Some(address) = address else { return Ok(()) };
        let entry = self.entry();
        match relation.as_deref() {
            Some("self") => entry.own = Some(address),
            Some("up") => entry.up = Some(address),
            Some("related") if entry.related.len() < ATTRIBUTES_MAX => entry.related.push(address),
            _ => {}
        }
        Ok(())
    }

    fn add_text(&mut self, part: &str) {
        if self.text.len() + part.len() <= XML_TEXT_BYTES_MAX {
            self.text.push_str(part);
        }
    }

    fn end(&mut self) -> Result<(), ReadError> {
        let Some(name) = self.path.pop() else { return Ok(()) };
        let text = core::mem::take(&mut self.text);
        let text = text.trim();
        let parent = self.path.last().map_or("", String::as_str).to_owned();
        match (parent.as_str(), name.as_str()) {
            ("ReadingType", name) => self.reading_type(name, text),
            ("ServiceCategory", "kind") => self.entry().service = text.parse().ok(),
            (_, "IntervalReading") => self.close_interval()?,
            _ => self.interval(&parent, &name, text),
        }
        Ok(())
    }

    fn reading_type(&mut self, name: &str, text: &str) {
        let Some(kind) = &mut self.entry().kind else { return };
        let number = text.parse::<i64>().ok();
        match name {
            "uom" => kind.unit = number,
            "flowDirection" => kind.direction = number,
            "commodity" => kind.commodity = number,
            "accumulationBehaviour" => kind.accumulation = number,
            "intervalLength" => kind.length_s = number.filter(|length_s| *length_s > 0),
            "tou" => kind.tariff = number,
            "powerOfTenMultiplier" => match text.parse() {
                Ok(multiplier) => kind.multiplier = multiplier,
                Err(_) => kind.unit = None,
            },
            _ => {}
        }
    }

    fn interval(&mut self, parent: &str, name: &str, text: &str) {
        let Some(open) = &mut self.open else { return };
        match (parent, name) {
            ("timePeriod", "start") => open.start_s = text.parse().ok(),
            ("timePeriod", "duration") => open.length_s = text.parse().ok(),
            ("IntervalReading", "value") => text.clone_into(&mut open.text),
            // Edited, estimated by another day or a line, forecast.
            ("ReadingQuality", "quality") => {
                open.substituted |= ["7", "8", "9", "12"].contains(&text);
            }
            _ => {}
        }
    }

    fn close_interval(&mut self) -> Result<(), ReadError> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let line = open.line;
        let Some(start_s) = open.start_s else {
            self.collector.refuse(line, Reason::Time);
            return Ok(());
        };
        if self.feed.values.len() == INTERVALS_MAX {
            return Err(ReadError::TooMany { line, what: "intervals", limit: INTERVALS_MAX });
        }
        let entry = self.current();
        let quality = if open.substituted { Quality::Substituted } else { Quality::Measured };
        let (length_s, text) = (open.length_s, open.text);
        self.feed.values.push(Value { line, entry, start_s, length_s, text, quality });
        Ok(())
    }
}
