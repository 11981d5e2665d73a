import SalvorSystem
import Testing

struct SecretBytesTests {
    @Test("A secret is in locked memory, and prints as nothing")
    func printing() {
        let secret = SecretBytes(Array("hunter2".utf8))
        #expect(secret.isLocked)
        #expect(secret.withBytes { Array($0) } == Array("hunter2".utf8))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Optional(secret) as Any)"] {
            #expect(!text.contains("hunter2") && !text.contains("104"), "\(text)")
        }
    }

    @Test("Secrets are told apart by all of their bytes")
    func comparison() {
        #expect(SecretBytes([1, 2, 3]).isSame(as: SecretBytes([1, 2, 3])))
        #expect(!SecretBytes([1, 2, 3]).isSame(as: SecretBytes([1, 2, 4])))
        #expect(!SecretBytes([1, 2, 3]).isSame(as: SecretBytes([1, 2])))
    }

    @Test("A secret is zeroed before its memory is given back")
    func zeroing() {
        var seen: [UInt8]?
        do {
            let secret = SecretBytes(Array("hunter2".utf8), beforeRelease: { seen = Array($0) })
            #expect(secret.count == 7)
        }
        #expect(seen?.isEmpty == false)
        #expect(seen?.allSatisfy { $0 == 0 } == true)
    }
}
