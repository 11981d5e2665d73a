import SalvorDigest
import SalvorImage
import Testing

@Suite struct PackageRecordsTests {
    private let text = """
        Package: linux-image-cloud-amd64
        Version: 6.1.192-2
        Architecture: amd64
        Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)
        SHA256: 06bc8bbd8bd4a3dbd5b6b03eb09f1fcb3f36ed1bfdeb1fdf8fde0bb6d4cd8ed4
        Description: meta
         Package: not-a-field

        Package: libc6
        Version: 2:2.36-9+deb12u14
        Architecture: amd64
        SHA256: ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf

        Package: virtual-only
        Version: 1

        """

    @Test func `Each package is read with its digest`() throws {
        let records = PackageRecords(text)
        let package = try #require(records.package("libc6"))
        #expect(package.fileName == "libc6_2%3a2.36-9+deb12u14_amd64.deb")
        #expect(package.sha256.hex.hasPrefix("ba4f88f7"))
        #expect(DebianPackage(line: package.line) == package)
        #expect(records.package("not-a-field") == nil)
    }

    @Test func `A meta package leads to what it depends on first`() {
        #expect(
            PackageRecords(text).firstDependency(of: "linux-image-cloud-amd64") == "linux-image-6.1.0-56-cloud-amd64")
    }

    @Test func `A record without a digest is none`() {
        #expect(PackageRecords(text).package("virtual-only") == nil)
    }
}
