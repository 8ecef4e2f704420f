import Testing
import VDSQ

@Suite struct ByteCountTests {
  @Test(arguments: [
    ("1", 1), ("20971520", 20_971_520), ("20M", 20 << 20), ("20m", 20 << 20), ("20MiB", 20 << 20),
    ("20mib", 20 << 20), ("20MB", 20_000_000), ("8000K", 8000 << 10), ("8000kB", 8_000_000),
    ("1G", 1 << 30), ("1GB", 1_000_000_000), ("1T", 1 << 40), ("512B", 512),
    ("1152921504606846976", 1 << 60),
  ])
  func numbersAreRead(_ text: String, _ bytes: Int) {
    #expect(ByteCount.parse(text) == bytes)
  }

  @Test(arguments: [
    "", "M", "0", "0M", "-1", "+1", "1.5G", "20 M", "20MM", "20Mi", "20BM", "20X", "x20", "٣M",
    "1152921504606846977", "99999999999999999999", "9999999999T",
  ])
  func othersAreNot(_ text: String) {
    #expect(ByteCount.parse(text) == nil)
  }
}
