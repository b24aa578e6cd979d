//! drift: a complete Feedhost adapter in Rust, standard library only. Its prices drift about a mean. Copy it, rename it, and
//! put a broker's protocol where `beat` is. The host's transport makes all calls into one instance one after another.

mod feedhost;

use feedhost::*;
use std::ffi::CStr;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::null;

const ID: &str = "io.feedhost.example.drift\0";
const TRANSPORT: &[u8] = b"feedhost.transport/1\0";
const MAX_ITEMS: usize = 500;
const LEVELS: usize = 5;
const STEP: i64 = 5;
const MODES: u32 = (MODE_LTP | MODE_QUOTE | MODE_DEPTH) as u32;

struct Item {
    handle: u32,
    mode: u16,
    random: u64,
    mean: i64,
    tick: Tick, // carries the day's open, high, low and volume from beat to beat
}

struct Drift {
    ctx: *mut HostCtx,
    host: &'static Host,
    transport: &'static Transport,
    timer: Id, // 0 while disconnected
    generation: u64,
    period_us: u32,
    items: Vec<Item>,
}

impl Item {
    /// Seeded by the symbol, so that every run has the same prices. All prices are paise: their exponent is -2.
    fn new(handle: u32, symbol: &[u8]) -> Item {
        let seed = symbol.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ *b as u64).wrapping_mul(0x100_0000_01b3));
        let px = 10_000 + (seed % 80_000) as i64 * STEP;
        let tick = Tick { instrument: handle, flags: TF_SNAPSHOT | TF_SYNTHETIC, sequence: SEQ_NONE, price_exp: -2,
            ltp: px, open: px, high: px, low: px, close: px, ..Tick::default() };
        Item { handle, mode: 0, random: seed | 1, mean: px, tick }
    }

    fn roll(&mut self, sides: u64) -> i64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % sides) as i64
    }

    fn beat(&mut self, drift: (&Host, *mut HostCtx), now: u64) {
        let home = (self.tick.ltp - self.mean).signum() * i64::from(self.roll(20) == 0); // a gentle pull to the mean
        let px = self.tick.ltp + STEP * (self.roll(3) - 1 - home);
        let px = px.max(self.mean / 2).max(STEP * 10);
        let ltq = 1 + self.roll(50);
        let mut book = [[Level::default(); LEVELS]; 2];
        for (side, sign) in book.iter_mut().zip([-1, 1]) {
            for (i, level) in side.iter_mut().enumerate() {
                let qty = 10 + self.roll(90);
                *level = Level { px: px + sign * STEP * (i as i64 + 1), qty, orders: 1 + qty as u32 / 20, reserved: 0 };
            }
        }
        let [bids, asks] = book;
        let t = &mut self.tick;
        (t.kind, t.ts_exchange, t.ts_recv, t.ts_last_trade) = (self.mode, now, now, now);
        (t.ltp, t.ltq, t.volume, t.high, t.low) = (px, ltq, t.volume + ltq, t.high.max(px), t.low.min(px));
        (t.bid_px, t.bid_qty, t.ask_px, t.ask_qty) = (bids[0].px, bids[0].qty, asks[0].px, asks[0].qty);
        t.fields = F_LTP | F_TRADE_TS; // only what is named here is read
        if self.mode >= MODE_QUOTE {
            t.fields |= F_LTQ | F_VOLUME | F_OPEN | F_HIGH | F_LOW | F_CLOSE | F_BID | F_ASK;
        }
        // E_LIMIT: the host dropped and counted the record. The next beat brings a newer one, so there is nothing to do.
        let (host, ctx) = drift;
        let _ = if self.mode == MODE_DEPTH {
            t.fields |= F_BIDS | F_ASKS;
            unsafe { (host.publish_depth)(ctx, t, bids.as_ptr(), LEVELS as u32, asks.as_ptr(), LEVELS as u32) }
        } else {
            unsafe { (host.publish_ticks)(ctx, t, 1) }
        };
    }
}

impl Drift {
    fn report(&self, state: u32, reason: u32) {
        let size = std::mem::size_of::<ConnEvent>() as u32;
        let event = ConnEvent { size, state, reason, retry_after_ms: 0, generation: self.generation, broker_code: 0,
            reserved: 0, message: Str::of("") };
        unsafe { (self.host.report_connection)(self.ctx, &event) }
    }

    fn stop(&mut self) {
        if self.timer != 0 {
            unsafe { (self.transport.cancel)(self.ctx, self.timer) }
        }
        self.timer = 0;
        self.items.clear();
    }

    fn grant(&mut self, what: &Instrument, wish: &SubRequest) -> SubResult {
        let no = |status, message| SubResult { handle: what.handle, outcome: SUB_REJECTED, granted_mode: 0,
            granted_depth: 0, status, broker_code: 0, reserved: 0, message: Str::of(message) };
        let (exchange, symbol) = unsafe { (what.exchange.bytes(), what.symbol.bytes()) };
        if !matches!(exchange, b"NSE" | b"CRYPTO") || !matches!(wish.mode, MODE_LTP | MODE_QUOTE | MODE_DEPTH) {
            return no(E_UNSUPPORTED, "drift has LTP, QUOTE and DEPTH on NSE and CRYPTO");
        }
        // The new wish replaces the old one and keeps the day's high, low and volume.
        let full = self.items.len() == MAX_ITEMS;
        match self.items.iter_mut().find(|item| item.handle == what.handle) {
            Some(item) => item.mode = wish.mode,
            None if full => return no(E_LIMIT, "drift carries 500 instruments"),
            None => self.items.push(Item { mode: wish.mode, ..Item::new(what.handle, symbol) }),
        }
        let granted_depth = if wish.mode == MODE_DEPTH { LEVELS as u16 } else { 0 };
        let outcome = if wish.depth > LEVELS as u16 { SUB_DOWNGRADED } else { SUB_ACKED };
        SubResult { outcome, granted_mode: wish.mode, granted_depth, ..no(OK, "") }
    }
}

/// Nothing may unwind into the host: a panic becomes `fallback`.
fn guard<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// Each call has the instance to itself: the host makes them one after another.
unsafe fn with<T>(instance: *mut Instance, fallback: T, body: impl FnOnce(&mut Drift) -> T) -> T {
    guard(fallback, || body(&mut *(instance as *mut Drift)))
}

unsafe extern "C" fn create(params: *const CreateParams, out: *mut *mut Instance) -> Status {
    guard(E_INTERNAL, || {
        let (ctx, host) = ((*params).ctx, &*(*params).host);
        let transport = (host.extension)(ctx, TRANSPORT.as_ptr() as *const c_char) as *const Transport;
        let period = std::str::from_utf8((host.config)(ctx, Str::of("period_ms")).bytes());
        match (transport.as_ref(), period.ok().and_then(|text| text.parse::<u32>().ok())) {
            (None, _) => E_UNSUPPORTED,
            (Some(transport), Some(ms @ 1..=10_000)) => {
                let drift = Drift { ctx, host, transport, timer: 0, generation: 0, period_us: ms * 1000, items: vec![] };
                *out = Box::into_raw(Box::new(drift)) as *mut Instance;
                OK
            }
            _ => {
                (host.log)(ctx, LOG_ERROR, Str::of("drift.period_ms must be a whole number from 1 to 10000"));
                E_INVALID
            }
        }
    })
}

/// `_credentials`: nothing here asks for any. A broker's token is read in this call, afresh at every connect.
unsafe extern "C" fn connect(instance: *mut Instance, generation: u64, _credentials: *const c_void) -> Status {
    with(instance, E_INTERNAL, |drift| {
        drift.stop();
        drift.generation = generation;
        let status = (drift.transport.timer)(drift.ctx, 0, drift.period_us, drift.period_us, &mut drift.timer);
        if status == OK {
            drift.report(CONN_READY, 0);
        }
        status
    })
}

unsafe extern "C" fn subscribe(instance: *mut Instance, request: u64, wishes: *const SubRequest, count: u32) -> Status {
    with(instance, E_INTERNAL, |drift| {
        if drift.timer == 0 {
            return E_STATE;
        }
        let results: Vec<_> =
            slice(wishes, count as usize).iter().map(|wish| drift.grant(&*wish.instrument, wish)).collect();
        (drift.host.report_subscriptions)(drift.ctx, request, results.as_ptr(), count);
        OK
    })
}

unsafe extern "C" fn unsubscribe(instance: *mut Instance, _request: u64, wishes: *const SubRequest, count: u32) -> Status {
    with(instance, E_INTERNAL, |drift| {
        for wish in slice(wishes, count as usize) {
            let handle = (*wish.instrument).handle;
            drift.items.retain(|item| item.handle != handle);
        }
        OK
    })
}

unsafe extern "C" fn disconnect(instance: *mut Instance, generation: u64) -> Status {
    with(instance, E_INTERNAL, |drift| {
        if drift.timer != 0 && generation == drift.generation {
            drift.stop();
            drift.report(CONN_DISCONNECTED, WHY_REQUESTED);
        }
        OK
    })
}

unsafe extern "C" fn destroy(instance: *mut Instance) {
    guard((), || Box::from_raw(instance as *mut Drift).stop())
}

unsafe extern "C" fn on_timer(instance: *mut Instance, _timer: Id, _user: u64, now: u64) {
    with(instance, (), |drift| drift.items.iter_mut().for_each(|item| item.beat((drift.host, drift.ctx), now)))
}

unsafe extern "C" fn extension(_instance: *mut Instance, id: *const c_char) -> *const c_void {
    static EVENTS: Table<TransportEvents> = Table(TransportEvents {
        size: std::mem::size_of::<TransportEvents>() as u32, reserved: 0, open_frame_closed_fetched: [null(); 4], on_timer,
    });
    if CStr::from_ptr(id).to_bytes_with_nul() == TRANSPORT { &EVENTS as *const _ as *const c_void } else { null() }
}

const fn c(text_with_nul: &'static str) -> *const c_char {
    text_with_nul.as_ptr() as *const c_char
}

static EXCHANGES: Table<[*const c_char; 3]> = Table([c("NSE\0"), c("CRYPTO\0"), null()]);
static DEPTH: Table<DepthCap> =
    Table(DepthCap { exchange: c("*\0"), levels: [LEVELS as u16, 0, 0, 0, 0, 0], count: 1, reserved: 0 });
static MARKET: Table<Link> = Table(Link { name: c("market\0"), carries: MODES, unit: UNIT_INSTRUMENT,
    quota: MAX_ITEMS as u32, deep_quota: 0, max_links: 0, max_depth: 0, batch: 0, per_second: 0 });
static CAPABILITIES: Table<Capabilities> = Table(Capabilities { size: std::mem::size_of::<Capabilities>() as u32,
    modes: MODES, flags: CAP_ANY_SYMBOL | CAP_SUB_ACK, order_stream: 0, exchanges: &EXCHANGES.0 as *const _, depth: &DEPTH.0,
    links: &MARKET.0, depth_count: 1, link_count: 1, timings: [0; 10] });
static SETTINGS: Table<[ConfigKey; 2]> = Table([
    ConfigKey { name: c("period_ms\0"), default_value: c("100\0"), help: c("Milliseconds a price, 1 to 10000\0"),
        kind: CFG_INT, required: 0 },
    ConfigKey { name: null(), default_value: null(), help: null(), kind: 0, required: 0 },
]);
static DESCRIPTOR: Table<Descriptor> = Table(Descriptor { size: std::mem::size_of::<Descriptor>() as u32, reserved: 0,
    id: c(ID), name: c("Drift, an example in Rust\0"), vendor: c("Feedhost\0"), version: c("1.0.0\0"), url: null(),
    license: null(), broker: c("drift\0"), capabilities: &CAPABILITIES.0, config_keys: &SETTINGS.0 as *const _,
    credential_keys: null() });
static DESCRIPTORS: Table<[*const Descriptor; 2]> = Table([&DESCRIPTOR.0, null()]);
static ADAPTER: Adapter = Adapter { size: std::mem::size_of::<Adapter>() as u32, reserved: 0, create, connect, subscribe,
    unsubscribe, disconnect, destroy, extension };
static ENTRY: Table<Entry> = Table(Entry { magic: MAGIC, size: std::mem::size_of::<Entry>() as u32, abi_major: 1,
    abi_minor: 0, min_host_minor: 0, reserved: 0, layout: LAYOUT, descriptors: &DESCRIPTORS.0 as *const _, adapter });

unsafe extern "C" fn adapter(id: *const c_char) -> *const Adapter {
    if CStr::from_ptr(id).to_bytes_with_nul() == ID.as_bytes() { &ADAPTER } else { null() }
}

#[no_mangle]
pub extern "C" fn feedhost_adapter_entry_v1() -> *const Entry {
    &ENTRY.0
}
