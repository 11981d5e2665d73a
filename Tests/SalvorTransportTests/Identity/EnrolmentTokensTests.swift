import SalvorDigest
import SalvorTransport
import Testing

@Suite struct EnrolmentTokensTests {
    let tokens = EnrolmentTokens()
    let now = WallTime(secondsSinceEpoch: 1_700_000_000)

    @Test func `a token is good for its host, once`() throws {
        let token = try tokens.issue(forHost: "h", now: now).token
        #expect(token.bytes.count == 32)
        let record = try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now)
        #expect(record.usedBy == SHA256.digest(of: [1]))
        #expect(code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [2], now: now) } == .tokenUsed)
    }

    @Test func `the key that used a token may use it again, because the answer may have been lost`() throws {
        let token = try tokens.issue(forHost: "h", validFor: .seconds(60), now: now).token
        for _ in 0..<2 { _ = try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now) }
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now + .seconds(60)) }
                == .tokenExpired)
    }

    @Test func `a token of another host, a guess, and a part of a token are unknown, and use nothing up`() throws {
        let token = try tokens.issue(forHost: "h", now: now).token
        _ = try tokens.issue(forHost: "other", now: now)
        #expect(code { try tokens.redeem(token.bytes, forHost: "other", publicKey: [1], now: now) } == .unknownToken)
        for guess in [[], [0], Array(repeating: 0, count: 32), Array(token.bytes.dropLast()), token.bytes + [0]] {
            #expect(code { try tokens.redeem(guess, forHost: "h", publicKey: [1], now: now) } == .unknownToken)
        }
        #expect(throws: Never.self) { try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now) }
    }

    @Test func `a token expires`() throws {
        let token = try tokens.issue(forHost: "h", validFor: .seconds(60), now: now).token
        #expect(
            code { try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now + .seconds(60)) }
                == .tokenExpired)
        #expect(throws: Never.self) {
            try tokens.redeem(token.bytes, forHost: "h", publicKey: [1], now: now + .seconds(59))
        }
    }

    @Test func `a new token voids the one before`() throws {
        let old = try tokens.issue(forHost: "h", now: now).token
        let new = try tokens.issue(forHost: "h", now: now).token
        #expect(old.bytes != new.bytes)
        #expect(code { try tokens.redeem(old.bytes, forHost: "h", publicKey: [1], now: now) } == .unknownToken)
        #expect(throws: Never.self) { try tokens.redeem(new.bytes, forHost: "h", publicKey: [1], now: now) }
    }

    @Test func `what is kept of a token does not give it away, and is enough to go on after a restart`() throws {
        let (token, record) = try tokens.issue(forHost: "h", now: now)
        #expect(record.hash.bytes != token.bytes)
        #expect(record.hash == SHA256.digest(of: token.bytes))
        #expect(!"\(token)".contains(record.hash.hex.prefix(8)))
        let restored = EnrolmentTokens(restoring: tokens.all)
        _ = try restored.redeem(token.bytes, forHost: "h", publicKey: [1], now: now)
        let again = EnrolmentTokens(restoring: restored.all)
        #expect(code { try again.redeem(token.bytes, forHost: "h", publicKey: [2], now: now) } == .tokenUsed)
    }
}
