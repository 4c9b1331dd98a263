/// Builds a self-contained page: it refers to no other file, script or font.
///
/// Every text goes through ``paragraph(_:)``, ``heading(_:)`` or ``table(_:)``, which escape it; what a name holds is
/// shown and never obeyed.
struct HTML {
    private let title: String
    private var sections: [(id: String, heading: String, body: String)] = []

    init(title: String) { self.title = title }

    mutating func section(_ heading: String, _ body: String) {
        guard !body.isEmpty else { return }
        sections.append(("s\(sections.count + 1)", heading, body))
    }

    static func paragraph(_ text: String) -> String { "<p>\(text.xmlText)</p>\n" }

    static func heading(_ text: String) -> String { "<h3>\(text.xmlText)</h3>\n" }

    static func table(_ table: Table) -> String { "<div class=\"scroll\">\(table.htmlTable)</div>\n" }

    /// Plots side by side, as far as the window is wide.
    static func figures(_ drawings: [String]) -> String {
        drawings.isEmpty
            ? "" : "<div class=\"figures\">" + drawings.map { "<figure>\($0)</figure>" }.joined() + "</div>\n"
    }

    var document: String {
        let contents = sections.map { "<a href=\"#\($0.id)\">\($0.heading.xmlText)</a>" }.joined(separator: " · ")
        let body = sections.map { "<section id=\"\($0.id)\"><h2>\($0.heading.xmlText)</h2>\n\($0.body)</section>\n" }
            .joined()
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; media-src data:; \
            style-src 'unsafe-inline'; script-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title.xmlText)</title>
            <style>\(Self.style)</style></head><body>
            <h1>\(title.xmlText)</h1>
            <nav>\(contents)</nav>
            \(body)<script>\(Self.script)</script>
            </body></html>

            """
    }

    private static let style = """
        body{font:15px/1.45 system-ui,sans-serif;max-width:1200px;margin:1.5em auto;padding:0 \
        1em;color:#1a1a1a;background:#fff}
        h1{font-size:1.5em}h2{font-size:1.2em;border-bottom:1px solid \
        #ccc;padding-bottom:.2em;margin-top:1.8em}h3{font-size:1em;margin:1.2em 0 .3em}
        nav{color:#555;font-size:.9em}a{color:#0072B2}.scroll{overflow-x:auto}
        table{border-collapse:collapse;font-size:.85em;font-variant-numeric:tabular-nums;margin:.6em 0}
        th,td{padding:.2em .6em;text-align:right;vertical-align:top;white-space:nowrap}th.l,td.l{text-align:left}
        td.l{white-space:normal;max-width:32em;overflow-wrap:break-word}.best{font-weight:bold}
        thead tr:last-child th{border-bottom:1.5px solid #333}th.group{text-align:center;color:#555;font-weight:600}
        tr.first td{border-top:1px solid #999}tbody tr:hover{background:#f3f6f9}
        .scroll ul{color:#555;font-size:.82em;margin:.2em 0 1em;padding-left:1.2em}
        .figures{display:flex;flex-wrap:wrap;gap:1em}figure{margin:0}figure svg{max-width:100%;height:auto}
        .file{border:1px solid #ddd;border-radius:6px;padding:.6em .8em;margin:.8em 0}
        .systems{display:flex;flex-wrap:wrap;gap:.6em}.system{flex:1 1 180px;max-width:260px}
        .system img{width:100%;height:110px;display:block;border-radius:3px}.system \
        button{width:100%;margin-bottom:.3em;padding:.25em;cursor:pointer;border:1px solid \
        #888;border-radius:4px;background:#f6f6f6;font:inherit;font-size:.85em}
        .system \
        button[aria-pressed=true]{background:#0072B2;color:#fff;border-color:#0072B2}.score{font-size:.8em;color:#333}
        .bar{display:flex;gap:.6em;align-items:center;margin:.5em 0}.bar input{flex:1}
        @media print{nav,.bar,.system button{display:none}}
        """

    /// One recording at a time; another system goes on at the same position.
    private static let script = """
        document.querySelectorAll('.file').forEach(function(file){
          var sounds=Array.from(file.querySelectorAll('audio')),buttons=Array.from(file.querySelectorAll('.system \
        button'));
          var place=file.querySelector('input'),toggle=file.querySelector('.toggle'),now=0;
          if(!sounds.length)return;
          function show(){\
        buttons.forEach(function(b){b.setAttribute('aria-pressed',+b.dataset.sound===now?'true':'false')});\
        toggle.textContent=sounds[now].paused?'Play':'Pause'}
          function play(){\
        document.querySelectorAll('audio').forEach(function(a){if(a!==sounds[now])a.pause()});\
        sounds[now].play()}
          buttons.forEach(function(b){b.onclick=function(){\
        var was=sounds[now],t=was.currentTime,wasPlaying=!was.paused;\
        was.pause();now=+b.dataset.sound;sounds[now].currentTime=t;\
        if(wasPlaying||!file.dataset.begun)play();file.dataset.begun=1;show()}});
          toggle.onclick=function(){file.dataset.begun=1;if(sounds[now].paused)play();else sounds[now].pause();show()};
          place.oninput=function(){var d=sounds[now].duration;if(d)sounds[now].currentTime=d*place.value/1000};
          sounds.forEach(function(a){\
        a.ontimeupdate=function(){if(a===sounds[now]&&a.duration)place.value=1000*a.currentTime/a.duration};\
        a.onplay=a.onpause=a.onended=show});
          show();
        });
        """
}
