//! What an adapter on `feedhost.transport/1` needs of feedhost/adapter.h and feedhost/extensions.h, ABI 1.0.
//! The C headers are the contract and explain every field; names here are theirs without the `fh_`.
#![allow(dead_code)]

use std::mem::size_of;
use std::os::raw::{c_char, c_void};

pub type Status = i32;
pub const OK: Status = 0;
pub const E_INVALID: Status = -1;
pub const E_UNSUPPORTED: Status = -2;
pub const E_STATE: Status = -4;
pub const E_LIMIT: Status = -5;
pub const E_INTERNAL: Status = -11;

pub const MODE_LTP: u16 = 1;
pub const MODE_QUOTE: u16 = 2;
pub const MODE_DEPTH: u16 = 4;

pub const F_LTP: u64 = 1 << 0;
pub const F_LTQ: u64 = 1 << 1;
pub const F_OPEN: u64 = 1 << 3;
pub const F_HIGH: u64 = 1 << 4;
pub const F_LOW: u64 = 1 << 5;
pub const F_CLOSE: u64 = 1 << 6;
pub const F_VOLUME: u64 = 1 << 7;
pub const F_BID: u64 = 1 << 14;
pub const F_ASK: u64 = 1 << 15;
pub const F_TRADE_TS: u64 = 1 << 21;
pub const F_BIDS: u64 = 1 << 22;
pub const F_ASKS: u64 = 1 << 23;
pub const TF_SNAPSHOT: u16 = 1 << 0;
pub const TF_SYNTHETIC: u16 = 1 << 4;
pub const SEQ_NONE: u64 = u64::MAX;

pub const SUB_ACKED: u32 = 1;
pub const SUB_DOWNGRADED: u32 = 3;
pub const SUB_REJECTED: u32 = 4;
pub const CONN_READY: u32 = 3;
pub const CONN_DISCONNECTED: u32 = 4;
pub const WHY_REQUESTED: u32 = 1;
pub const UNIT_INSTRUMENT: u32 = 1;
pub const CAP_SUB_ACK: u32 = 1 << 1;
pub const CAP_ANY_SYMBOL: u32 = 1 << 5;
pub const CFG_INT: u32 = 2;
pub const LOG_ERROR: i32 = 4;

/// Owned by the adapter; the adapter casts its own type to it and back.
#[repr(C)]
pub struct Instance {
    _opaque: [u8; 0],
}
/// Owned by the host.
#[repr(C)]
pub struct HostCtx {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub ptr: *const u8,
    pub len: u64,
}

impl Str {
    pub const fn of(text: &'static str) -> Str {
        Str { ptr: text.as_ptr(), len: text.len() as u64 }
    }
    /// # Safety
    /// The pointer is borrowed for the call that brought it.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        slice(self.ptr, self.len as usize)
    }
}

/// A C array as a slice; C may say "none" with NULL, Rust may not.
///
/// # Safety
/// `ptr` points to `count` items that outlive the use, or `count` is 0.
pub unsafe fn slice<'a, T>(ptr: *const T, count: usize) -> &'a [T] {
    if count == 0 { &[] } else { std::slice::from_raw_parts(ptr, count) }
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Level {
    pub px: i64,
    pub qty: i64,
    pub orders: u32,
    pub reserved: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Tick {
    pub instrument: u32,
    pub kind: u16,
    pub flags: u16,
    pub fields: u64,
    pub ts_exchange: u64,
    pub ts_recv: u64,
    pub sequence: u64,
    pub price_exp: i8,
    pub qty_exp: i8,
    pub reserved: [u8; 6],
    pub ltp: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub avg_px: i64,
    pub ltq: i64,
    pub volume: i64,
    pub oi: i64,
    pub total_buy_qty: i64,
    pub total_sell_qty: i64,
    pub bid_px: i64,
    pub bid_qty: i64,
    pub ask_px: i64,
    pub ask_qty: i64,
    pub lower_limit: i64,
    pub upper_limit: i64,
    pub ts_last_trade: u64,
    pub year_high: i64,
    pub year_low: i64,
    pub oi_high: i64,
    pub oi_low: i64,
    pub oi_prev: i64,
    pub turnover: i64,
    pub spare: [i64; 2],
}

#[repr(C)]
pub struct Instrument {
    pub size: u32,
    pub handle: u32,
    pub exchange: Str,
    pub symbol: Str,
    pub broker_exchange: Str,
    pub broker_token: Str,
    pub price_exp: i8,
    pub qty_exp: i8,
    pub reserved: [u8; 6],
    pub tick_size: i64,
    pub lot_size: i64,
}

#[repr(C)]
pub struct SubRequest {
    pub instrument: *const Instrument,
    pub mode: u16,
    pub depth: u16,
    pub reserved: u32,
}

#[repr(C)]
pub struct SubResult {
    pub handle: u32,
    pub outcome: u32,
    pub granted_mode: u16,
    pub granted_depth: u16,
    pub status: Status,
    pub broker_code: i32,
    pub reserved: i32,
    pub message: Str,
}

#[repr(C)]
pub struct ConnEvent {
    pub size: u32,
    pub state: u32,
    pub reason: u32,
    pub retry_after_ms: u32,
    pub generation: u64,
    pub broker_code: i32,
    pub reserved: i32,
    pub message: Str,
}

#[repr(C)]
pub struct DepthCap {
    pub exchange: *const c_char,
    pub levels: [u16; 6],
    pub count: u16,
    pub reserved: u16,
}

#[repr(C)]
pub struct Link {
    pub name: *const c_char,
    pub carries: u32,
    pub unit: u32,
    pub quota: u32,
    pub deep_quota: u32,
    pub max_links: u32,
    pub max_depth: u32,
    pub batch: u32,
    pub per_second: u32,
}

#[repr(C)]
pub struct Capabilities {
    pub size: u32,
    pub modes: u32,
    pub flags: u32,
    pub order_stream: u32,
    pub exchanges: *const *const c_char,
    pub depth: *const DepthCap,
    pub links: *const Link,
    pub depth_count: u32,
    pub link_count: u32,
    /// From ack_timeout_ms to backoff_max_ms and the reserved word: 0 takes the host's defaults.
    pub timings: [u32; 10],
}

#[repr(C)]
pub struct ConfigKey {
    pub name: *const c_char,
    pub default_value: *const c_char,
    pub help: *const c_char,
    pub kind: u32,
    pub required: u32,
}

#[repr(C)]
pub struct Descriptor {
    pub size: u32,
    pub reserved: u32,
    pub id: *const c_char,
    pub name: *const c_char,
    pub vendor: *const c_char,
    pub version: *const c_char,
    pub url: *const c_char,
    pub license: *const c_char,
    pub broker: *const c_char,
    pub capabilities: *const Capabilities,
    pub config_keys: *const ConfigKey,
    pub credential_keys: *const ConfigKey,
}

#[repr(C)]
pub struct Host {
    pub size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub name: *const c_char,
    pub version: *const c_char,
    pub log: unsafe extern "C" fn(*mut HostCtx, i32, Str),
    pub publish_ticks: unsafe extern "C" fn(*mut HostCtx, *const Tick, u32) -> Status,
    pub publish_depth:
        unsafe extern "C" fn(*mut HostCtx, *const Tick, *const Level, u32, *const Level, u32) -> Status,
    pub report_connection: unsafe extern "C" fn(*mut HostCtx, *const ConnEvent),
    pub report_subscriptions: unsafe extern "C" fn(*mut HostCtx, u64, *const SubResult, u32),
    pub report_traffic: unsafe extern "C" fn(*mut HostCtx, u32, u64, u32),
    pub find_by_token: unsafe extern "C" fn(*mut HostCtx, Str, Str) -> u32,
    pub config: unsafe extern "C" fn(*mut HostCtx, Str) -> Str,
    pub metric_add: unsafe extern "C" fn(*mut HostCtx, u32, i64),
    pub now_ns: unsafe extern "C" fn(*mut HostCtx) -> u64,
    pub extension: unsafe extern "C" fn(*mut HostCtx, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct CreateParams {
    pub size: u32,
    pub link: u32,
    pub connection_index: u32,
    pub reserved: u32,
    pub ctx: *mut HostCtx,
    pub host: *const Host,
    pub adapter_id: Str,
}

#[repr(C)]
pub struct Adapter {
    pub size: u32,
    pub reserved: u32,
    pub create: unsafe extern "C" fn(*const CreateParams, *mut *mut Instance) -> Status,
    pub connect: unsafe extern "C" fn(*mut Instance, u64, *const c_void) -> Status,
    pub subscribe: unsafe extern "C" fn(*mut Instance, u64, *const SubRequest, u32) -> Status,
    pub unsubscribe: unsafe extern "C" fn(*mut Instance, u64, *const SubRequest, u32) -> Status,
    pub disconnect: unsafe extern "C" fn(*mut Instance, u64) -> Status,
    pub destroy: unsafe extern "C" fn(*mut Instance),
    pub extension: unsafe extern "C" fn(*mut Instance, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Entry {
    pub magic: u32,
    pub size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub min_host_minor: u16,
    pub reserved: u16,
    pub layout: [u16; 4],
    pub descriptors: *const *const Descriptor,
    pub adapter: unsafe extern "C" fn(*const c_char) -> *const Adapter,
}
pub const MAGIC: u32 = 0x3148_4446;
/// Pointer, tick, level, str, as the entry reports them.
pub const LAYOUT: [u16; 4] = [
    size_of::<*const u8>() as u16, size_of::<Tick>() as u16, size_of::<Level>() as u16, size_of::<Str>() as u16,
];

pub type Id = u64;

/// The host's half of `feedhost.transport/1`; an adapter that opens sockets spells the first four out.
#[repr(C)]
pub struct Transport {
    pub size: u32,
    pub reserved: u32,
    pub open_send_close_fetch: [*const c_void; 4],
    pub timer: unsafe extern "C" fn(*mut HostCtx, u64, u32, u32, *mut Id) -> Status,
    pub cancel: unsafe extern "C" fn(*mut HostCtx, Id),
}

/// The adapter's half. The first four belong to sockets and requests: NULL in an adapter that makes none.
#[repr(C)]
pub struct TransportEvents {
    pub size: u32,
    pub reserved: u32,
    pub open_frame_closed_fetched: [*const c_void; 4],
    pub on_timer: unsafe extern "C" fn(*mut Instance, Id, u64, u64),
}

/// Tables are static and never written, so threads may share the pointers in them.
#[repr(transparent)]
pub struct Table<T>(pub T);
unsafe impl<T> Sync for Table<T> {}

// The frozen records of ABI 1, and the sizes that the tables had in 1.0.
const _: () = {
    assert!(size_of::<Str>() == 16 && size_of::<Level>() == 24 && size_of::<Tick>() == 256);
    assert!(size_of::<SubRequest>() == 16 && size_of::<SubResult>() == 40);
    assert!(size_of::<DepthCap>() == 24 && size_of::<Link>() == 40 && size_of::<ConfigKey>() == 32);
    assert!(size_of::<Instrument>() == 96 && size_of::<ConnEvent>() == 48 && size_of::<Capabilities>() == 88);
    assert!(size_of::<Descriptor>() == 88 && size_of::<Host>() == 112 && size_of::<CreateParams>() == 48);
    assert!(size_of::<Adapter>() == 64 && size_of::<Entry>() == 40);
    assert!(size_of::<Transport>() == 56 && size_of::<TransportEvents>() == 48);
};
