import SalvorDigest
import SalvorTransport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite struct CertificateAuthorityTests {
    @Test func `a host's certificate names its run and host, begins before now, and ends within hours`() throws {
        let run = try Run("run-7")
        let certificate = try run.host("rescue-1", validFor: .seconds(3600)).chain[0]
        #expect(certificate.subjectURIs == ["salvor://run-7/host/rescue-1"])
        #expect(try PeerIdentity(of: certificate) == .host(run: "run-7", host: "rescue-1"))
        let now = WallTime.now()
        #expect(try #require(certificate.notBefore) < now - .seconds(600))
        #expect(try #require(certificate.notAfter) < now + .seconds(3700))
        #expect(try #require(certificate.notAfter) > now + .seconds(3500))
        #expect(try PeerIdentity(of: run.coordinator.chain[0]) == .coordinator(run: "run-7"))
        #expect(run.authority.fingerprint == SHA256.digest(of: run.authority.certificate.der))
    }

    @Test func `a certificate does not outlive its authority`() throws {
        let authority = try CertificateAuthority(run: "r", validFor: .seconds(600))
        let request = try CertificateRequest(for: .host(run: "r", host: "h"), key: try KeyPair.generate())
        let certificate = try authority.sign(request, forHost: "h", validFor: .seconds(86_400))
        #expect(certificate.notAfter == authority.certificate.notAfter)
    }

    @Test func `an authority in a file is the same when it comes back, and only its owner can read it`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/authority.pem"
            let authority = try CertificateAuthority(run: "run-1")
            try authority.save(toFile: path)
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
            let restored = try CertificateAuthority(contentsOfFile: path)
            #expect(restored.fingerprint == authority.fingerprint)
            #expect(restored.run == "run-1")
            // What it signs now is trusted by who knew it before.
            let request = try CertificateRequest(for: .host(run: "run-1", host: "h"), key: try KeyPair.generate())
            #expect(throws: Never.self) { try restored.sign(request, forHost: "h") }
            // It is never replaced.
            #expect(code { try CertificateAuthority(run: "run-1").save(toFile: path) } == .keyStore)
            #expect(try CertificateAuthority(contentsOfFile: path).fingerprint == authority.fingerprint)
            #expect(access(path + ".new", F_OK) != 0)
        }
    }

    @Test func `a key file that others can read, that is a link, or that holds something else is not used`() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/authority.pem"
            try CertificateAuthority(run: "run-1").save(toFile: path)
            symlink(path, folder + "/link.pem")
            #expect(code { try CertificateAuthority(contentsOfFile: folder + "/link.pem") } == .keyStore)
            chmod(path, 0o644)
            #expect(code { try CertificateAuthority(contentsOfFile: path) } == .keyStore)
            chmod(path, 0o600)
            truncate(path, 200)
            #expect(code { try CertificateAuthority(contentsOfFile: path) } == .keyStore)
            #expect(code { try CertificateAuthority(contentsOfFile: folder + "/none.pem") } == .keyStore)
        }
    }

    @Test func `a request for somebody else is not signed`() throws {
        let authority = try CertificateAuthority(run: "run-1")
        let key = try KeyPair.generate()
        for identity: PeerIdentity in [
            .host(run: "run-1", host: "other"), .host(run: "run-2", host: "h"), .coordinator(run: "run-1"),
        ] {
            let request = try CertificateRequest(for: identity, key: key)
            #expect(code { try authority.sign(request, forHost: "h") } == .badRequest)
        }
    }

    @Test func `a request comes back from DER as it was, and with any byte changed it is refused`() throws {
        let key = try KeyPair.generate()
        let request = try CertificateRequest(for: .host(run: "run-1", host: "h"), key: key)
        let read = try CertificateRequest(der: request.der)
        #expect(read.identity == request.identity)
        #expect(read.publicKey == key.publicKey)
        for index in request.der.indices {
            var changed = request.der
            changed[index] ^= 0x41
            #expect(code { try CertificateRequest(der: changed) } == .badRequest, "byte \(index)")
        }
        for count in 0..<request.der.count {
            #expect(code { try CertificateRequest(der: Array(request.der.prefix(count))) } == .badRequest)
        }
        #expect(code { try CertificateRequest(der: request.der + [0]) } == .badRequest)
        #expect(code { try CertificateRequest(der: Array(repeating: 0x30, count: 1 << 20)) } == .badRequest)
    }

    @Test(arguments: [
        "", ".", "-a", "a/b", "a b", "a,DNS:evil", "ä", "a\n", String(repeating: "a", count: 64),
    ])
    func `a name that could mean something else is refused`(name: String) throws {
        #expect(code { try CertificateAuthority(run: name) } == .badName)
        #expect(code { try EnrolmentTokens().issue(forHost: name) } == .badName)
        #expect(PeerIdentity(uri: "salvor://\(name)/coordinator") == nil)
        #expect(PeerIdentity(uri: "salvor://r/host/\(name)") == nil)
    }

    @Test(arguments: [
        "salvor://r", "salvor://r/", "salvor://r/host", "salvor://r/host/", "salvor://r/host/h/",
        "salvor://r/coordinator/",
        "salvor://r/coordinator/x", "http://r/coordinator", "salvor:///coordinator", "salvor://r/authority",
        "salvor://r/Coordinator",
    ])
    func `a URI that is not exactly one of ours is nobody's identity`(uri: String) {
        #expect(PeerIdentity(uri: uri) == nil)
    }

    @Test func `identities and their URIs are the same thing (N-6)`() {
        for identity: PeerIdentity in [.coordinator(run: "r.1_a-b"), .host(run: "R", host: "h-0")] {
            #expect(PeerIdentity(uri: identity.uri) == identity)
        }
    }
}

/// The code of the ``TransportError`` that `body` throws, nil if it throws none.
func code<Result>(_ body: () throws -> Result) -> TransportError.Code? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? TransportError)?.code
    }
}

func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/salvor-transport-XXXXXX".utf8CString)
    let folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    defer {
        if let entries = opendir(folder) {
            while let entry = readdir(entries) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink(folder + "/" + name)
            }
            closedir(entries)
        }
        rmdir(folder)
    }
    try body(folder)
}
