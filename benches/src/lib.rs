//! Nothing but the package of the benchmarks; they are in `benches/`.
