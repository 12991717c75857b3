fn main() {
    wasm_bpf_build::build()
}
