import CorpusRecipes
import Foundation
import SpecLanguage
import Testing

@Suite struct RecipeLanguageTests {
    @Test(arguments: RecipeLibrary.names) func everyRecipeOfTheProgramResolvesUnderItsName(name: String) throws {
        let recipe = try RecipeLoader().load(name)
        #expect(recipe.name == name && !recipe.title.isEmpty)
        // What is shown reads back as the same recipe.
        let again = try RecipeLoader().load(text: recipe.declaration)
        #expect(again.declaration == recipe.declaration)
    }

    @Test func theFilesOfTheLibraryAreTheRecipesOfTheProgram() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.path + "/experiments/corpora/recipes"
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
        #expect(files.map { String($0.dropLast(5)) }.sorted() == RecipeLibrary.names)
        for file in files {
            let text = FileManager.default.contents(atPath: "\(folder)/\(file)").map {
                String(decoding: $0, as: UTF8.self)
            }
            #expect(text == RecipeLibrary.text(of: String(file.dropLast(5))))
        }
    }

    @Test func publishedSettingsAreThoseOfTheProtocols() throws {
        let chime = try RecipeLoader().load("wsj0-chime3").declaration
        #expect(
            chime.contains("snr: [0.0, 20.0]") && chime.contains("guard: \"none\"") && chime.contains("channel: \"1\""))
        let qut = try RecipeLoader().load("wsj0-qut").declaration
        #expect(qut.contains("snr: [0.0, 15.0]") && qut.contains("trim: 120.0"))
        let esc = try RecipeLoader().load("ood-esc50")
        #expect(esc.seed == 42 && esc.sets[0].count == 50 && esc.sets[0].shortest == 0.5)
        #expect(esc.declaration.contains("levels: [0.0, 5.0, 10.0]") && esc.declaration.contains("shortest_noise: 1.0"))
        let bank = try RecipeLoader().load("voicebank-demand")
        #expect(bank.rate == 16_000 && bank.sets[1].speakers == ["p226", "p287"] && bank.sets[2].expected == 824)
        #expect(try RecipeLoader().load("voicebank-demand-11572").sets[0].expected == 11_572)
    }

    @Test func mistakesOfARecipeAreTheirPlacesAndNearestNames() throws {
        func mistakes(_ text: String) -> [String] {
            do throws(SpecErrors) { _ = try RecipeLoader().load(text: text) } catch {
                return error.all.map(\.description)
            }
            return []
        }
        let several = mistakes("name: a\nrat: 8000\nlaw: mixx\n")
        #expect(several.contains { $0.contains("recipe.yaml:2:1") && $0.contains("did you mean 'rate'?") })
        #expect(several.contains { $0.contains("recipe.yaml:3:6") && $0.contains("did you mean 'mix'?") })
        let both = "name: a\nsources: [{ name: s }, { name: n }]\nsets: [{ name: test, speech: s }]\n"
        #expect(
            mistakes(both + "law: { name: mix, noise: m, levels: [0] }\n").contains {
                $0.contains("unknown source 'm'")
            })
        #expect(
            mistakes(both + "law: { name: mix, noise: n }\n").contains {
                $0.contains("either 'snr', a range, or 'levels'")
            })
        #expect(
            mistakes(both + "law: { name: mix, noise: n, snr: [5, 1] }\n").contains {
                $0.contains("the least and the most")
            })
        #expect(mistakes(both + "law: pairs\n").contains { $0.contains("names no 'noisy'") })
        #expect(
            mistakes(both + "law: { name: mix, noise: n, levels: [0], noise_type: \"(\" }\n").contains {
                $0.contains("noise_type")
            })
        #expect(
            mistakes(both + "speaker: p[0-9]+\nlaw: { name: mix, noise: n, levels: [0] }\n").contains {
                $0.contains("one group")
            })
        #expect(mistakes(both + "law: { name: mix, noise: n, levels: [0, 5] }\n").isEmpty)
    }

    @Test func aRecipeMayExtendOneOfTheProgram() throws {
        let recipe = try RecipeLoader().load(
            text: "extends: synthetic.yaml\nname: mine\nlaw: { train: 3 }\n", overrides: ["law.test=2", "rate=8000"])
        #expect(recipe.name == "mine" && recipe.rate == 8000)
        #expect(recipe.declaration.contains("train: 3, valid: 8, test: 2"))
        #expect(throws: SpecErrors.self) { try RecipeLoader().load("voicebank-deman") }
        #expect(throws: SpecErrors.self) { try RecipeLoader().load("nowhere.yaml") }
    }
}
