import SalvorSystem
import Synchronization
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
        let observed = Mutex<[UInt8]?>(nil)
        do {
            let secret = SecretBytes(
                Array("hunter2".utf8),
                beforeRelease: { pages in
                    let bytes = Array(pages)
                    observed.withLock { $0 = bytes }
                })
            #expect(secret.count == 7)
        }
        let seen = observed.withLock { $0 }
        #expect(seen?.isEmpty == false)
        #expect(seen?.allSatisfy { $0 == 0 } == true)
    }
}
