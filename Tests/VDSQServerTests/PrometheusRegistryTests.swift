import CoreMetrics
import Testing
import VDSQServer

/// The examples of the exposition format's page
/// (https://prometheus.io/docs/instrumenting/exposition_formats/).
@Suite struct PrometheusRegistryTests {
  @Test func countersAndEscapes() {
    let registry = PrometheusRegistry()
    registry.describe("http_requests_total", .counter, help: "The total number of HTTP requests.")
    let counter = Counter(
      label: "http_requests_total", dimensions: [("method", "post"), ("code", "200")],
      factory: registry)
    counter.increment(by: 1027)
    registry.describe("odd", .gauge, help: "A \\ and\na line")
    Meter(label: "odd", dimensions: [("path", "C:\\DIR\n\"x\"")], factory: registry).set(1.5)
    #expect(
      registry.render() == """
        # HELP http_requests_total The total number of HTTP requests.
        # TYPE http_requests_total counter
        http_requests_total{method="post",code="200"} 1027
        # HELP odd A \\\\ and\\na line
        # TYPE odd gauge
        odd{path="C:\\\\DIR\\n\\"x\\""} 1.5

        """)
  }

  @Test func histograms() {
    let registry = PrometheusRegistry()
    registry.describe("d", .histogram, help: "h", bounds: [0.1, 1])
    let recorder = Recorder(label: "d", factory: registry)
    for value in [0.05, 0.1, 0.5, 7] { recorder.record(value) }
    #expect(
      registry.render() == """
        # HELP d h
        # TYPE d histogram
        d_bucket{le="0.1"} 2
        d_bucket{le="1"} 3
        d_bucket{le="+Inf"} 4
        d_sum 7.65
        d_count 4

        """)
  }
}
