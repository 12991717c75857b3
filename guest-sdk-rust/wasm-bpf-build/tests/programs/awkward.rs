include!(concat!(env!("OUT_DIR"), "/awkward.skel.rs"));

use std::mem::offset_of;

use awkward::{AwkwardSkelBuilder, types};
use wasm_bpf_guest::zerocopy::{FromBytes, IntoBytes};

/// The size of a type and the offsets of its members, as `layout_*` in the source have them.
macro_rules! layout {
    ($type:ident $(, $member:tt)*) => {
        [size_of::<types::$type>() as u64 $(, offset_of!(types::$type, $member) as u64)*]
    };
}

fn main() {
    let open = AwkwardSkelBuilder::new().open().unwrap();
    let rodata = &open.rodata;
    let data = &open.data;

    // Sizes and offsets are those that clang computed.
    assert_eq!(rodata.layout_inner, layout!(inner, small));
    assert_eq!(rodata.layout_packed, layout!(packed, value, inside));
    assert_eq!(rodata.layout_endpoint, layout!(endpoint_t, since));
    assert_eq!(rodata.layout_address, layout!(address));
    assert_eq!(rodata.layout_bits, layout!(bits, after));
    assert_eq!(rodata.layout_flexible, layout!(flexible, data));
    assert_eq!(rodata.layout_aligned, layout!(aligned, b));
    let members = layout!(
        awkward,
        number,
        size,
        pointer,
        nested,
        nested_array,
        table,
        text,
        tiny,
        flag,
        state,
        negative,
        wide,
        wide_negative,
        narrow,
        address,
        anon_0,
        unnamed,
        packed_unnamed,
        packed,
        endpoint,
        huge,
        aligned,
        r#type,
        _pad0,
        callback,
        qualified
    );
    assert_eq!(rodata.layout_awkward, members);

    // Members have the types of the table in the documentation.
    let zero = types::awkward::default();
    let _: (u8, i64, u64, u64) = (zero.first, zero.number, zero.size, zero.pointer);
    let _: ([types::inner; 2], [[i16; 3]; 2], [u8; 5]) = (zero.nested_array, zero.table, zero.text);
    let _: (i8, u8, u64, u64, i32) = (
        zero.tiny,
        zero.flag,
        zero.callback,
        zero.qualified,
        zero._pad0,
    );
    let _: (types::awkward_anon_0, [u64; 2]) = (zero.anon_0, zero.huge);
    let _: (u8, u16) = (zero.unnamed.x, zero.unnamed.y);
    let _: (u32, i32, u64, i64, u8) = (
        zero.state.0,
        zero.negative.0,
        zero.wide.0,
        zero.wide_negative.0,
        zero.narrow.0,
    );
    let _: [u64; 0] = types::flexible::default().data;
    let _: (u64, u64) = (types::node::default().next, types::node::default().opaque);
    assert_eq!(zero.as_bytes(), vec![0; size_of::<types::awkward>()]);
    assert!(format!("{zero:?}").contains("number: 0"));

    // Values that clang wrote are read as such.
    let bits = data.bits_value;
    assert_eq!((bits.low(), bits.high(), bits.negative()), (5, 0x1234, -3));
    assert_eq!((bits.yes(), bits.state()), (true, types::state::STATE_BUSY));
    assert_eq!(
        (bits.wide(), bits.after, bits.again()),
        (0xab_cdef_0123, 0x5a, 0x155)
    );
    assert_eq!(bits.full(), 0xfedc_ba98_7654_3210);
    assert_eq!({ data.packed_value.value }, 0xdead_beef);
    assert_eq!({ data.packed_value.inside }.small, b'c');
    let storage: [u64; 2] = data.address_value.storage;
    assert_eq!(storage, [0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09]);
    assert_eq!(
        (data.endpoint_value.port, data.endpoint_value.since),
        (443, -1)
    );
    assert_eq!(data.negative_value, types::negative::NEGATIVE_LOW);
    assert_eq!(data.negative_value.0, -5);
    assert_eq!(types::negative::self_.0, 3);
    assert_eq!(data.wide_value.0, 0x1234_5678_9abc_def0);
    assert_eq!(
        data.wide_negative_value,
        types::wide_negative::WIDE_NEGATIVE
    );
    assert_eq!(data.wide_negative_value.0, -0x123_4567_89ab);
    assert_eq!(data.narrow_value.0, 200);
    assert_eq!(data.table_value, [[1, 2, 3], [-4, -5, -6]]);
    assert_eq!(&data.text_value, b"awkward\0");
    assert_eq!(data.tiny_value, -7);
    assert_eq!(data.huge_value, [2, 1]);
    assert_eq!(data.unnamed_value.x, 9);
    assert_eq!(
        {
            let types::data { number } = data.data_value;
            number
        },
        11
    );
    assert_eq!(data.u64_value.number, 12);
    // Static variables, also those of functions.
    assert_eq!(data.hidden_value, 21);
    assert_eq!(data.manual_calls, 3);
    assert_eq!(open.rodata_cfg.limit, 1000);
    assert_eq!(open.rodata_cfg.enabled, 1);
    assert_eq!(open.data_hits.counter, 5);
    assert_eq!(open.bss.large.len(), 65536);

    // A match on constants of an enum.
    assert!(matches!(data.negative_value, types::negative::NEGATIVE_LOW));

    // Map keys and values, those of inner maps too.
    assert_eq!(size_of::<types::key>(), 8);
    assert_eq!(types::verdict::DROP.0, 1);
    assert_eq!(size_of::<types::type_values_value_anon_0>(), 16);

    // Setting a bit-field leaves its neighbours alone.
    let mut changed = bits;
    changed.set_high(0x0fff);
    changed.set_negative(-16);
    changed.set_yes(false);
    changed.set_state(types::state::STATE_IDLE);
    changed.set_full(1);
    assert_eq!(
        (changed.low(), changed.high(), changed.negative()),
        (5, 0x0fff, -16)
    );
    assert_eq!(
        (changed.yes(), changed.state()),
        (false, types::state::STATE_IDLE)
    );
    assert_eq!(
        (changed.wide(), changed.again(), changed.full()),
        (0xab_cdef_0123, 0x155, 1)
    );
    changed.set_high(bits.high());
    changed.set_negative(bits.negative());
    changed.set_yes(true);
    changed.set_state(bits.state());
    changed.set_full(bits.full());
    assert_eq!(changed.as_bytes(), bits.as_bytes());

    // Only the sections that were changed are written, with all of their other contents as they were.
    let before = open.load().unwrap();
    assert!(before.object.written().is_empty());
    let mut open = AwkwardSkelBuilder::new().open().unwrap();
    open.rodata_cfg.limit = -2;
    open.data.packed_value.value = 77;
    let mut skel = open.load().unwrap();
    let mut written = skel.object.written();
    written.sort();
    assert_eq!(written, [".data", ".rodata.cfg"]);
    let cfg = skel.object.section(".rodata.cfg");
    assert_eq!(cfg.len(), types::rodata_cfg::SIZE);
    assert_eq!(cfg, [&(-2i64).to_le_bytes()[..], &[1]].concat());
    let at = offset_of!(types::data_section, packed_value) + 1;
    let mut expected = before.object.section(".data");
    expected[at..at + 4].copy_from_slice(&77u32.to_le_bytes());
    assert_eq!(skel.object.section(".data"), expected);

    // The value of a section's map as its type, although that is longer here.
    assert_eq!(
        (types::rodata_cfg::SIZE, size_of::<types::rodata_cfg>()),
        (9, 16)
    );
    assert_eq!(types::rodata_cfg::from_section(&cfg).unwrap().limit, -2);
    assert!(types::rodata_cfg::from_section(&cfg[1..]).is_none());
    assert_eq!(types::data_section::SECTION, ".data");
    assert!(
        types::data_section::read_from_bytes(&vec![0; size_of::<types::data_section>()]).is_ok()
    );

    // Attaching stops at the first failure and keeps what was attached by then.
    let error = skel.attach().unwrap_err().to_string();
    assert!(error.contains("fails_to_attach"), "{error}");
    assert!(skel.links.manual.is_none());
    assert!(skel.links.r#match.is_some());
    assert!(skel.links.unreached.is_none());
    assert_eq!(skel.maps.r#type.name, "type");
    assert_eq!(skel.progs.r#match.name, "match");
}
