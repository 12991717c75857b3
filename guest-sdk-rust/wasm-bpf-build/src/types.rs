//! Writes the definitions of types.

use crate::code::Code;
use crate::layout::{BitField, BitValue, Enum, Item, Role, Struct, Union, integer_name};

/// The derives that let a guest view the bytes of a value as the type and the other way round.
const DERIVES: &str = "Clone, Copy, Debug, zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout, \
                       zerocopy::Immutable";

/// Functions on bit-fields: bit 0 is the lowest bit of the first byte, as BPF is little-endian here.
const BIT_FUNCTIONS: &str = "\
/// Reads `width` bits from bit `start` on.
fn __get_bits(bytes: &[u8], start: usize, width: usize) -> u64 {
    (0..width).fold(0, |value, n| {
        let at = start + n;
        value | u64::from(bytes[at / 8] >> (at % 8) & 1) << n
    })
}

/// Writes the lowest `width` bits of a value from bit `start` on.
fn __set_bits(bytes: &mut [u8], start: usize, width: usize, value: u64) {
    for n in 0..width {
        let at = start + n;
        let bit = (value >> n & 1) as u8;
        bytes[at / 8] = bytes[at / 8] & !(1 << (at % 8)) | bit << (at % 8);
    }
}";

/// A section can be larger than the stack of a guest, so that its value is made on the heap.
const FROM_SECTION: &str = "\
if value.len() != Self::SIZE {
    return None;
}
let Ok(mut section) = <Self as zerocopy::FromZeros>::new_box_zeroed() else {
    ::std::alloc::handle_alloc_error(::std::alloc::Layout::new::<Self>());
};
zerocopy::IntoBytes::as_mut_bytes(&mut *section)[..Self::SIZE].copy_from_slice(value);
Some(section)";

/// Writes the module of an object's types.
pub(crate) fn write(code: &mut Code, items: &[Item]) {
    code.line("/// The types of the object's global variables, map keys and map values, in the layout of BPF.");
    code.block("pub mod types", |code| {
        if !items.is_empty() {
            code.line("use ::wasm_bpf_guest::zerocopy;");
        }
        for item in items {
            code.blank();
            match item {
                Item::Struct(item) => write_struct(code, item),
                Item::Union(item) => write_union(code, item),
                Item::Enum(item) => write_enum(code, item),
            }
        }
        let has_bits =
            |item: &Item| matches!(item, Item::Struct(item) if !item.bit_fields.is_empty());
        if items.iter().any(has_bits) {
            code.blank();
            code.lines(BIT_FUNCTIONS);
        }
    });
}

fn derives(code: &mut Code, more: &str, repr: &str) {
    code.line(format!("#[derive({DERIVES}{more})]"));
    code.line("#[zerocopy(crate = \"::wasm_bpf_guest::zerocopy\")]");
    code.line(format!("#[repr({repr})]"));
}

fn write_default(code: &mut Code, name: &str) {
    code.blank();
    code.line("/// All bytes zero.");
    code.block(format!("impl Default for {name}"), |code| {
        code.block("fn default() -> Self", |code| {
            code.line("zerocopy::FromZeros::new_zeroed()");
        });
    });
}

fn write_struct(code: &mut Code, item: &Struct) {
    let name = &item.name;
    match &item.section {
        Some((section, size)) => {
            code.line(format!(
                "/// The variables of section `{section}` ({size} bytes)."
            ));
        }
        None => code.line(format!("/// `{}` ({} bytes).", item.c_name, item.size)),
    }
    derives(code, "", if item.packed { "C, packed" } else { "C" });
    code.block(format!("pub struct {name}"), |code| {
        for field in &item.fields {
            code.line(format!("pub {}: {},", field.name, field.ty));
        }
    });
    if let Some((section, size)) = &item.section {
        code.blank();
        write_section_functions(code, item, section, *size);
    }
    if !item.bit_fields.is_empty() {
        code.blank();
        write_bit_fields(code, item);
    }
    write_default(code, name);
    code.blank();
    code.statement("const _: () =", |code| {
        code.line(format!(
            "assert!(::core::mem::size_of::<{name}>() == {}, \"{}: the size is not that of BPF\");",
            item.size, item.c_name
        ));
        for field in &item.fields {
            if let Role::Member(member) = &field.role {
                code.line(format!(
                    "assert!(::core::mem::offset_of!({name}, {}) == {}, \"{}: {member} is not where BPF has it\");",
                    field.name, field.offset, item.c_name
                ));
            }
        }
    });
}

fn write_section_functions(code: &mut Code, item: &Struct, section: &str, size: u64) {
    code.block(format!("impl {}", item.name), |code| {
        code.line("/// The name of the section, by which the object finds its map.");
        code.line(format!("pub const SECTION: &'static str = {section:?};"));
        code.blank();
        code.line("/// The size of the section, which is that of its map's value. The type may be longer, as its size");
        code.line("/// is a multiple of its alignment.");
        code.line(format!("pub const SIZE: usize = {size};"));
        code.blank();
        code.line("/// Reads the variables from the value of the section's map, where it has the right size.");
        code.block(
            "pub fn from_section(value: &[u8]) -> Option<Box<Self>>",
            |code| code.lines(FROM_SECTION),
        );
    });
}

fn write_bit_fields(code: &mut Code, item: &Struct) {
    let mut methods = crate::names::Scope::default();
    for field in &item.bit_fields {
        methods.claim(field.name.clone());
    }
    code.block(format!("impl {}", item.name), |code| {
        for (n, field) in item.bit_fields.iter().enumerate() {
            if n > 0 {
                code.blank();
            }
            let setter = methods.claim(format!("set_{}", field.name.trim_start_matches("r#")));
            write_bit_field(code, field, &setter);
        }
    });
}

fn write_bit_field(code: &mut Code, field: &BitField, setter: &str) {
    let BitField {
        name,
        ty,
        storage,
        start,
        width,
        ..
    } = field;
    let bits = format!("__get_bits(&self.{storage}, {start}, {width})");
    // A signed number has its sign in the uppermost bit that it was given.
    let unused = 64 - width;
    let signed = format!("(({bits} << {unused}) as i64 >> {unused})");
    let (get, set) = match field.value {
        BitValue::Bool => (format!("{bits} != 0"), "u64::from(value)".to_owned()),
        BitValue::Unsigned if ty == "u64" => (bits, "value".into()),
        BitValue::Unsigned => (format!("{bits} as {ty}"), "value as u64".into()),
        BitValue::Signed if ty == "i64" => (signed, "value as u64".into()),
        BitValue::Signed => (format!("{signed} as {ty}"), "value as u64".into()),
        BitValue::Enum { signed: false } => (format!("{ty}({bits} as _)"), "value.0 as u64".into()),
        BitValue::Enum { signed: true } => {
            (format!("{ty}({signed} as _)"), "value.0 as u64".into())
        }
    };
    let plural = if *width == 1 { "bit" } else { "bits" };
    code.line(format!("/// A bit-field of {width} {plural}."));
    code.block(format!("pub fn {name}(&self) -> {ty}"), |code| {
        code.line(get);
    });
    code.blank();
    code.line("/// Sets the bit-field; what does not fit in it of the value is dropped.");
    code.block(format!("pub fn {setter}(&mut self, value: {ty})"), |code| {
        code.line(format!(
            "__set_bits(&mut self.{storage}, {start}, {width}, {set});"
        ));
    });
}

fn write_union(code: &mut Code, item: &Union) {
    let Union {
        name,
        c_name,
        size,
        unit,
        members,
    } = item;
    code.line(format!("/// `{c_name}` ({size} bytes)."));
    if !members.is_empty() {
        code.line("///");
        code.line("/// The storage holds one of:");
        for member in members {
            code.line(format!("/// - `{member}`"));
        }
    }
    derives(code, "", "C");
    code.block(format!("pub struct {name}"), |code| {
        code.line(format!(
            "pub storage: [{}; {}],",
            integer_name(*unit, false),
            size / unit
        ));
    });
    write_default(code, name);
    code.blank();
    code.statement("const _: () =", |code| {
        code.line(format!(
            "assert!(::core::mem::size_of::<{name}>() == {size}, \"{c_name}: the size is not that of BPF\");"
        ));
    });
}

fn write_enum(code: &mut Code, item: &Enum) {
    let Enum { name, c_name, .. } = item;
    code.line(format!("/// `{c_name}` ({} bytes).", item.size));
    code.line("///");
    code.line("/// Not a Rust enum, as BPF can store any number: compare it with the constants.");
    derives(
        code,
        ", PartialEq, Eq, PartialOrd, Ord, Hash",
        "transparent",
    );
    code.line(format!(
        "pub struct {name}(pub {});",
        integer_name(item.size, item.signed)
    ));
    if !item.values.is_empty() {
        code.blank();
        code.block(format!("impl {name}"), |code| {
            for (value_name, value) in &item.values {
                code.line(format!("pub const {value_name}: Self = Self({value});"));
            }
        });
    }
    write_default(code, name);
}
