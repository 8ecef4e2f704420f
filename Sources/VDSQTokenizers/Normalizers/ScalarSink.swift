/// What receives normalized scalars, one after another.
protocol ScalarSink {
  mutating func add(_ scalar: UInt32)
}
