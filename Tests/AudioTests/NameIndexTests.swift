import Audio
import Testing

@Suite struct NameIndexTests {
    @Test(arguments: [
        ("p232_001.wav", "p232_001.wav", PairingRule.name), ("p232_001.flac", "p232_001.wav", .name),
        ("book_00067_reader_06087_1_snr10_tl-25_fileid_1.wav", "clean_fileid_1.wav", .fileID),
        ("noisy_fileid_002.wav", "clean_fileid_2.wav", .fileID),
        ("p232_001_enhanced.wav", "p232_001.wav", .role), ("Enhanced-p232_001.WAV", "p232_001.wav", .role),
        ("u7_noisy.wav", "u7_clean.wav", .role), ("sub/u7_enhanced.wav", "sub/u7_clean.wav", .role),
        ("p232_001_m5.N30.wav", "p232_001.wav", .part), ("m5-p232_001.wav", "p232_001.wav", .part),
        ("p232_5dB.wav", "p232.wav", .part),
    ])
    func aRuleFindsThePartner(name: String, partner: String, rule: PairingRule) throws {
        let index = NameIndex([
            "p232_001.wav", "p232_002.wav", "p232.wav", "clean_fileid_1.wav", "clean_fileid_2.wav",
            "clean_fileid_11.wav",
            "u7_clean.wav", "sub/u7_clean.wav",
        ])
        let found = try #require(index.partner(of: name))
        #expect(found.name == partner && found.rule == rule)
    }

    @Test(arguments: ["q1.wav", "fileid_3.wav", "other/p232_001.wav", "p232001.wav", "x_enhanced.wav"])
    func aNameThatFitsNoneOrSeveralHasNoPartner(name: String) {
        let index = NameIndex(["p232_001.wav", "a_fileid_3.wav", "b_fileid_3.wav", "clean_x.wav", "x_clean.wav"])
        #expect(index.partner(of: name) == nil)
    }

    /// `é` as one character and as two; what comes back has the bytes that were given.
    @Test func namesThatAreEqualInUnicodeArePartners() throws {
        let (composed, decomposed) = ("Zo\u{EB}_1.wav", "Zoe\u{308}_1.wav")
        let found = try #require(NameIndex([decomposed]).partner(of: composed))
        #expect(Array(found.name.utf8) == Array(decomposed.utf8) && found.rule == .name)
    }
}
