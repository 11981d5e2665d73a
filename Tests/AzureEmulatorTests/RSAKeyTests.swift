import AzureEmulator
import Testing

@Suite struct RSAKeyTests {
    private let key: RSAKey

    init() throws { key = try #require(RSAKey.generate(bits: 2048)) }

    @Test("A key is the same after it was written and read")
    func text() throws {
        let again = try #require(RSAKey(pem: key.privatePEM))
        #expect(again.isPrivate)
        #expect(again.modulus == key.modulus)
        let half = try #require(RSAKey(pem: key.publicPEM))
        #expect(!half.isPrivate)
        #expect(half.privatePEM == [])
        #expect(half.thumbprint == key.thumbprint)
    }

    @Test("A public half of numbers verifies what the key signs")
    func numbers() throws {
        let half = try #require(RSAKey(.init(n: key.modulus, e: key.exponent)))
        let algorithm = RSASignature.ps256
        let digest = algorithm.digest(of: [1, 2, 3])
        let signature = try #require(algorithm.sign(digest: digest, with: key))
        #expect(algorithm.verifies(signature, of: digest, with: half))
        #expect(algorithm.sign(digest: digest, with: half) == nil)
    }

    @Test("What is no key is none", arguments: [[], [0], Array(repeating: 255, count: 2000)] as [[UInt8]])
    func noKeys(bytes: [UInt8]) {
        #expect(RSAKey(.init(n: bytes, e: [1, 0, 1])) == nil)
        #expect(
            RSAKey(.init(n: key.modulus, e: key.exponent, secret: (bytes, bytes, bytes, bytes, bytes, bytes))) == nil)
        #expect(RSAKey(pem: bytes) == nil)
    }

    @Test("Keys have sizes that Azure takes", arguments: [0, 1024, 8192])
    func sizes(bits: Int) { #expect(RSAKey.generate(bits: bits) == nil) }
}
