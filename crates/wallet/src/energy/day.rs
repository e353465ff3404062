//! Slots of a day: how far each is, what my meters took and gave, and what that cost against the grid
//! alone.

use ledger::domains::energy::{self as rules, Position, Record};

use super::{
    Book, Rules, Scene, Seen, Source, Span, Summary,
    book::{meter_numbers, meters_of, record_keys, traded},
    starts_ms,
};

/// How far a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// No meter read it so far, and some still may until then, in milliseconds of the ledger's time.
    Waiting {
        /// When its window is over.
        until_ms: u64,
    },
    /// Meters read it, and more may until then.
    Open {
        /// When its window is over.
        until_ms: u64,
    },
    /// Its window is over: anybody may settle it.
    Due,
    /// Settled.
    Settled(Summary),
    /// Its window is over and no meter read it: there is nothing to settle.
    Silent,
    /// What is under it is not proved yet.
    Unproved,
}

/// What meters took and gave, and what that came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    /// Wh taken.
    pub import_wh: u64,
    /// Wh given.
    pub export_wh: u64,
    /// Wh of those taken that came from neighbours, once settled.
    pub local_import_wh: u64,
    /// Wh of those given that neighbours took, once settled.
    pub local_export_wh: u64,
    /// Units paid, once settled.
    pub paid: u128,
    /// Units got, once settled.
    pub got: u128,
    /// Units that the grid alone would have cost, less what it would have paid, of what is settled.
    pub grid_only: i128,
    /// Certificates that nobody used up, in Wh.
    pub left_wh: u64,
    /// Units set aside for it, until it is settled.
    pub cover: u128,
    /// Wh bought on its book before it began.
    pub bought_wh: u64,
    /// Wh sold there.
    pub sold_wh: u64,
}

/// A slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Which.
    pub slot: u64,
    /// How far it is.
    pub state: State,
    /// What holds for it.
    pub rules: Rules,
    /// How many meters read it.
    pub readings: usize,
    /// Of these readings, how many were corrected; of those that are proved.
    pub revised: usize,
    /// What mine took and gave; none: none of them read it.
    pub mine: Option<Flow>,
    /// How many of mine could have read it and did not.
    pub missing: usize,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its slots that have begun, in order.
    pub slots: Vec<Shown>,
    /// At which blocks all of it was so; none: not all of it is proved.
    pub seen: Option<Seen>,
}

impl Flow {
    /// Units saved against the grid alone; less than none: more was paid.
    pub fn saved(&self) -> i128 {
        self.grid_only - (signed(self.paid) - signed(self.got))
    }

    fn and(self, other: Self) -> Self {
        Self {
            import_wh: self.import_wh + other.import_wh,
            export_wh: self.export_wh + other.export_wh,
            local_import_wh: self.local_import_wh + other.local_import_wh,
            local_export_wh: self.local_export_wh + other.local_export_wh,
            paid: self.paid + other.paid,
            got: self.got + other.got,
            grid_only: self.grid_only + other.grid_only,
            left_wh: self.left_wh + other.left_wh,
            cover: self.cover + other.cover,
            bought_wh: self.bought_wh + other.bought_wh,
            sold_wh: self.sold_wh + other.sold_wh,
        }
    }

    /// Of what a meter said, and of what it has on the book; it is due with one of them.
    fn of(rules: &Rules, record: Option<&Record>, position: Option<&Position>) -> Self {
        let import_wh = record.map_or(0, |record| record.content.import_wh);
        let export_wh = record.map_or(0, |record| record.content.export_wh);
        let covers = (record.map(|one| one.cover), position.map(|one| one.cover));
        let cover = covers.0.unwrap_or_default() + covers.1.unwrap_or_default();
        let booked = position.map(|position| position.booked).unwrap_or_default();
        let (bought_wh, sold_wh) = (booked.bought_wh, booked.sold_wh);
        let waits = Self { import_wh, export_wh, cover, bought_wh, sold_wh, ..Self::default() };
        let due = record.and_then(|one| one.due).or_else(|| position.and_then(|one| one.due));
        let Some(due) = due else { return waits };
        // As many Wh as were minted, or more would be told to be left.
        let used_wh = due.local_export_wh.saturating_add(due.claimed_wh);
        Self {
            local_import_wh: due.local_import_wh,
            local_export_wh: due.local_export_wh,
            paid: due.paid,
            got: due.got,
            grid_only: grid_only(rules, import_wh, export_wh),
            left_wh: export_wh.saturating_sub(used_wh),
            ..waits
        }
    }
}

/// Units as a number with a sign: sums of a community are far below.
fn signed(units: u128) -> i128 {
    i128::try_from(units).unwrap_or(i128::MAX)
}

/// What the grid alone costs, by the ledger's own outcome of a street with one house.
fn grid_only(rules: &Rules, import_wh: u64, export_wh: u64) -> i128 {
    // Without neighbours, sharing trades nothing; it also counts both directions by themselves, as the
    // grid's bill does.
    let alone = Rules { mode: rules::Mode::Sharing, ..*rules };
    let entry = |meter, import_wh, export_wh| rules::Entry {
        meter,
        owner: ledger::AccountId::new([0; 32]),
        import_wh,
        export_wh,
        limits: rules.standing(),
        friend: None,
        booked: rules::Booked::default(),
        unpaid_wh: 0,
    };
    // Each direction is a street of its own, so that what the house gives is not sold to itself.
    let cost = rules::outcome(&alone, &[entry(0, import_wh, 0)]).summary;
    let pay = rules::outcome(&alone, &[entry(0, 0, export_wh)]).summary;
    signed(cost.grid_got) - signed(pay.grid_paid)
}

/// What all of these slots came to for me.
pub fn sum(slots: &[Shown]) -> Flow {
    slots.iter().filter_map(|shown| shown.mine).fold(Flow::default(), Flow::and)
}

/// Certificates of a slot of a meter that nobody used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Which slot.
    pub slot: u64,
    /// Which meter.
    pub meter: u32,
    /// Where its energy came from, as its owner says.
    pub source: Source,
    /// Wh.
    pub left_wh: u64,
}

/// Certificates of a span's settled slots that are an account's to use up, the oldest first.
pub fn left(scene: &Scene<'_>, span: Span) -> Vec<Left> {
    let Scene { book, account, now_ms } = *scene;
    let id = span.community;
    let mine = meters_of(book, id, account);
    let one = |slot: u64, number: u32| {
        let record = rules::record(book, id, slot, number)?;
        record.due?;
        let rules = rules::slot(book, id, slot)?.rules;
        let left_wh = Flow::of(&rules, Some(&record), None).left_wh;
        let source = rules::meter(book, id, number)?.source;
        (left_wh > 0).then_some(Left { slot, meter: number, source, left_wh })
    };
    let slots = span.slots(book, now_ms);
    slots.flat_map(|slot| mine.iter().filter_map(move |meter| one(slot, *meter))).collect()
}

/// Slots of a span that have begun; `None`: its community is not proved.
pub fn day(scene: &Scene<'_>, span: Span) -> Option<Day> {
    let Scene { book, account, now_ms } = *scene;
    let id = span.community;
    let community = rules::community(book, id)?;
    let mine: Vec<(u32, rules::Meter)> = meter_numbers(&community)
        .filter_map(|number| Some((number, rules::meter(book, id, number)?)))
        .filter(|(_, meter)| meter.owner == account)
        .collect();
    let slots: Vec<Shown> = span
        .slots(book, now_ms)
        .filter_map(|slot| shown(scene, &community, id, slot, &mine))
        .collect();
    let mut keys = vec![rules::community_key(id)];
    for slot in &slots {
        keys.push(rules::slot_key(id, slot.slot));
        let ours = mine.iter().flat_map(|(number, _)| {
            let of = (id, slot.slot, *number);
            [rules::record_key(of.0, of.1, of.2), rules::position_key(of.0, of.1, of.2)]
        });
        let read = record_keys(book, id, slot.slot);
        let orders = rules::order_book_key(id, slot.slot);
        keys.extend(ours.chain([orders]).filter(|key| read.contains(key)));
    }
    Some(Day { slots, seen: book.seen(&keys) })
}

fn shown(
    scene: &Scene<'_>,
    community: &rules::Community,
    id: u32,
    slot: u64,
    mine: &[(u32, rules::Meter)],
) -> Option<Shown> {
    let book = scene.book;
    let found = rules::slot(book, id, slot);
    let held = found.as_ref().map(|found| found.rules).or_else(|| community.rules_at(slot));
    let rules = held.or_else(|| community.rules.first().map(|(_, rules)| *rules))?;
    let read = found.as_ref().map(|found| found.meters.as_slice()).unwrap_or_default();
    let traded = found.as_ref().map(|found| traded(book, id, slot, found)).unwrap_or_default();
    let flow = |number: u32| {
        let record = rules::record(book, id, slot, number);
        let position = rules::position(book, id, slot, number);
        let is_any = record.is_some() || position.is_some();
        is_any.then(|| Flow::of(&rules, record.as_ref(), position.as_ref()))
    };
    let ours = mine.iter().filter(|(number, _)| read.contains(number) || traded.contains(number));
    let flows: Vec<Flow> = ours.filter_map(|(number, _)| flow(*number)).collect();
    let now = community.slot_at(scene.now_ms);
    let could = |(number, meter): &&(u32, rules::Meter)| {
        slot < now && meter.from_slot <= slot && !read.contains(number)
    };
    Some(Shown {
        slot,
        state: state(book, community, id, slot, now, found.as_ref()),
        rules,
        readings: read.len(),
        revised: revisions(book, id, slot).len(),
        mine: (!flows.is_empty()).then(|| flows.into_iter().fold(Flow::default(), Flow::and)),
        missing: mine.iter().filter(could).count(),
    })
}

/// Meters whose reading of a slot was corrected, and how often at most; of those that are proved.
pub fn revisions(book: &Book, id: u32, slot: u64) -> Vec<(u32, u8)> {
    let read = rules::slot(book, id, slot).map(|slot| slot.meters).unwrap_or_default();
    let one = |meter: u32| Some((meter, rules::record(book, id, slot, meter)?.revision));
    read.into_iter().filter_map(one).filter(|(_, revision)| *revision > 0).collect()
}

fn state(
    book: &Book,
    community: &rules::Community,
    id: u32,
    slot: u64,
    now: u64,
    found: Option<&rules::Slot>,
) -> State {
    if !book.has(&rules::slot_key(id, slot)) {
        return State::Unproved;
    }
    if slot >= now {
        return State::Running;
    }
    let until_ms = starts_ms(slot + u64::from(community.window_slots) + 1);
    match (found, community.is_over(slot, now)) {
        (Some(rules::Slot { summary: Some(summary), .. }), _) => State::Settled(*summary),
        (Some(_), true) => State::Due,
        (Some(_), false) => State::Open { until_ms },
        (None, true) => State::Silent,
        (None, false) => State::Waiting { until_ms },
    }
}
