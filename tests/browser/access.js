() => {
    // The page's half of access.py: evaluated once in a page that shows a lesson; makes `window.access`.
    // Each look gives findings: {rule, html, why}, and those that a known exception covers have its number too.
    const OUTPUTS = '.jp-OutputArea-output, .jp-MarkdownOutput';
    const outputs = () => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden)')]
        .flatMap(panel => [...panel.querySelectorAll(OUTPUTS)]);
    const own = selector => outputs().flatMap(output => [...output.querySelectorAll(selector)]);
    const seen = element => element.checkVisibility({visibilityProperty: true, opacityProperty: true});
    const finding = (rule, element, why) => ({rule, why, element, html: element.outerHTML.slice(0, 200)});
    const text = element => (element?.textContent ?? '').replace(/\s+/g, ' ').trim();
    const nameOf = element => element.getAttribute('aria-label')
        || (element.getAttribute('aria-labelledby') ?? '').split(' ').map(id => text(document.getElementById(id))).join('')
        || [...element.labels ?? []].map(text).join('')
        || element.getAttribute('alt') || element.getAttribute('title')
        || (element.tagName === 'svg' ? text(element.querySelector(':scope > title')) : text(element));

    // Colours. Chromium writes each as rgb(…) or color(srgb …).
    const parsed = colour => {
        const [red, green, blue, alpha = 1] = colour.match(/[\d.]+(e-\d+)?/g).map(Number);
        return (colour.startsWith('color') ? [red, green, blue] : [red / 255, green / 255, blue / 255]).concat(alpha);
    };
    const over = ([r, g, b, a], below) => [r, g, b].map((part, i) => part * a + below[i] * (1 - a)).concat(1);
    const light = ([r, g, b]) => [r, g, b].map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const opacity = element => {
        let share = 1;
        for (let each = element; each; each = each.parentElement) share *= Number(getComputedStyle(each).opacity);
        return share;
    };
    const paper = element => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) {
            const layer = parsed(getComputedStyle(each).backgroundColor);
            if (layer[3] > 0) layers.push(layer);
            if (layer[3] === 1) break;
        }
        return layers.reduceRight((below, layer) => over(layer, below), [1, 1, 1, 1]);
    };
    // What a text of a picture stands on: the page, tinted by those shapes drawn before it that it lies on. A text with
    // an outline of the page's colour stands on that.
    const painted = (element, page) => {
        const style = getComputedStyle(element);
        if (style.paintOrder.startsWith('stroke') && style.stroke !== 'none') return over(parsed(style.stroke), page);
        const place = element.getBoundingClientRect(), x = place.x + place.width / 2, y = place.y + place.height / 2;
        let below = page;
        for (const shape of element.ownerSVGElement.closest('svg').querySelectorAll('rect, path, polygon, ellipse')) {
            if (element.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_FOLLOWING) break;
            const box = shape.getBoundingClientRect(), its = getComputedStyle(shape);
            if (its.fill === 'none' || box.left > x || box.right < x || box.top > y || box.bottom < y) continue;
            const [r, g, b, a] = parsed(its.fill);
            below = over([r, g, b, a * Number(its.fillOpacity)], below);
        }
        return below;
    };
    // A sign is no text: its neighbours say in words what it shows. It must be seen all the same.
    const leastFor = (words, style) => {
        const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
        return !/[\p{L}\p{N}]/u.test(words) || size >= 24 || (bold && size >= 18.66) ? 3 : 4.5;
    };
    const contrasts = () => {
        const found = [];
        let looked = 0;
        for (const output of outputs()) {
            const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const words = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
                if (!words || element.closest('title, style, option, .jp-sr-only, :disabled') || !seen(element)) continue;
                const style = getComputedStyle(element), svg = element.closest('svg');
                const page = paper(element);
                const below = svg ? painted(element.closest('text'), page) : page;
                const ink = parsed(svg ? style.fill : style.color);
                const ratio = contrast(over([...ink.slice(0, 3), ink[3] * opacity(element)], below), below);
                looked += 1;
                if (ratio < leastFor(words, style) - 0.005)
                    found.push(finding('contrast', element, `${words.slice(0, 40)}: ${ratio.toFixed(2)} to 1`));
            }
        }
        return {found, looked};
    };

    const WORKABLE = 'a[href], button, input, select, textarea, summary, iframe, audio, video, [tabindex], [contenteditable], '
        + '[onclick], [role=button], [role=slider], [role=tab], [role=checkbox]';
    const ring = element => {
        const {outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor, textDecoration} = getComputedStyle(element);
        const outline = outlineStyle === 'none' || parseFloat(outlineWidth) === 0 ? '' : outlineStyle;
        return [outline, boxShadow, borderColor, backgroundColor, textDecoration].join();
    };
    const reach = () => {
        const found = [];
        const pointed = own('*').filter(element => getComputedStyle(element).cursor === 'pointer'
            && !element.closest('a[href], button, input, select, summary, label'));
        const workable = [...new Set([...own(WORKABLE), ...pointed])].filter(seen);
        for (const element of workable) {
            if (element.tabIndex < 0 && !element.disabled && !element.closest('.jp-InternalAnchorLink'))
                found.push(finding('reach', element, 'cannot be reached by Tab'));
            if (!nameOf(element) && !(element.matches('.jp-InternalAnchorLink')))
                found.push(finding('name', element, 'has no name'));
            if (element.disabled || element.tabIndex < 0) continue;
            document.activeElement?.blur();
            const before = ring(element);
            element.focus({preventScroll: true});
            if (document.activeElement !== element) found.push(finding('reach', element, 'cannot have the focus'));
            else if (ring(element) === before && element.tagName !== 'IFRAME')
                found.push(finding('ring', element, 'looks the same with the focus and without'));
        }
        document.activeElement?.blur();
        return {found, looked: workable.length};
    };

    const pictures = () => {
        const found = [];
        const all = own('svg, img, canvas').filter(each => seen(each) && !each.parentElement.closest('svg'))
            .filter(each => !each.closest('[aria-hidden=true], [role=presentation]'));
        for (const each of all) {
            if (!nameOf(each) || (each.tagName !== 'IMG' && each.getAttribute('role') !== 'img'))
                found.push(finding('picture', each, 'has no name, or not the role of a picture'));
            const twin = each.closest('figure, .pc-explorer, .pc-lab')
                ?.querySelector('details pre, figcaption, [role=status], .pc-steps');
            // A name as long as a sentence tells by itself what is to be seen.
            if (!text(twin) && nameOf(each).split(' ').length < 12) found.push(finding('twin', each, 'is not told in words'));
        }
        return {found, looked: all.length};
    };

    // A box that scrolls by itself may hold what is wider than the page: pictures, tables, programs.
    const scrolls = element => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX);
    const WIDE = 'table, pre, .pc-code, figure, iframe, svg, img';
    const fits = () => {
        const found = [];
        let looked = 0;
        for (const output of outputs().filter(seen)) {
            for (const element of [output, ...output.querySelectorAll('*')]) {
                if (element.closest('svg, .jp-sr-only') || !seen(element) || !element.clientWidth) continue;
                looked += 1;
                const style = getComputedStyle(element);
                const wide = element.scrollWidth - element.clientWidth, high = element.scrollHeight - element.clientHeight;
                if (scrolls(element) && wide > 1 && !element.matches(WIDE) && !element.querySelector(WIDE))
                    found.push(finding('sideways', element, `scrolls by ${wide} pixels`));
                if (style.overflowX === 'visible' && wide > 1 && !sheltered(element, output))
                    found.push(finding('sticks out', element, `by ${wide} pixels`));
                const cut = style.overflowX === 'hidden' && wide > 1 || style.overflowY === 'hidden' && high > 3;
                const ends = style.textOverflow === 'ellipsis' && element.title;
                if (cut && text(element) && !ends) found.push(finding('cut off', element, `${wide} and ${high} pixels`));
            }
            found.push(...overlaps(output));
        }
        const page = document.querySelector('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer');
        if (page.scrollWidth > page.clientWidth + 1) found.push(finding('sideways', page, 'the whole lesson scrolls'));
        return {found, looked};
    };
    const sheltered = (element, output) => {
        for (let each = element; each && each !== output; each = each.parentElement) if (scrolls(each)) return true;
        return Boolean(scrolls(output) && element.closest(WIDE));
    };
    const shelter = (element, output) => {
        let frame = {left: -Infinity, right: Infinity, top: -Infinity, bottom: Infinity};
        for (let each = element; each && each !== output; each = each.parentElement) {
            if (getComputedStyle(each).overflowX === 'visible' || getComputedStyle(each).display === 'inline') continue;
            const box = each.getBoundingClientRect();
            frame = {
                left: Math.max(frame.left, box.left), right: Math.min(frame.right, box.right),
                top: Math.max(frame.top, box.top), bottom: Math.min(frame.bottom, box.bottom),
            };
        }
        return frame;
    };
    const overlaps = output => {
        const lines = [];
        const walker = document.createTreeWalker(output, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || element.closest('svg, style, .jp-sr-only') || !seen(element)) continue;
            const range = document.createRange();
            range.selectNodeContents(walker.currentNode);
            const frame = shelter(element, output);
            for (const box of range.getClientRects()) {
                const right = Math.min(box.right, frame.right), left = Math.max(box.left, frame.left);
                if (right - left > 2 && box.top < frame.bottom && box.bottom > frame.top)
                    lines.push({element, box: {left, right, top: box.top, bottom: box.bottom}});
            }
        }
        lines.sort((a, b) => a.box.top - b.box.top);
        const found = [];
        lines.forEach(({element, box}, i) => {
            for (let j = i + 1; j < lines.length && lines[j].box.top < box.bottom - 4; j++) {
                const other = lines[j];
                const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
                if (wide > 4 && other.element !== element)
                    found.push(finding('overlap', element, `${text(element).slice(0, 40)} | ${text(other.element).slice(0, 40)}`));
            }
        });
        return found;
    };

    // axe-core takes what an outer box hides for hidden, and JupyterLab's boxes hide all that is out of sight: so the
    // lesson is let out of them, upon its own paper, for as long as axe-core looks at it.
    const out = document.createElement('style');
    out.media = 'not all';
    out.textContent = `body, .jp-LabShell, .lm-BoxPanel, .lm-SplitPanel, .lm-DockPanel, .jp-NotebookPanel, .jp-Notebook,
        .jp-WindowedPanel-outer { overflow: visible !important; contain: none !important }
        .jp-WindowedPanel-inner { background: var(--jp-layout-color0) }`;
    document.head.append(out);
    const axeFindings = async () => {
        out.media = 'all';
        const results = await axe.run(
            {include: OUTPUTS.split(', ').map(each => [`.jp-NotebookPanel:not(.lm-mod-hidden) ${each}`])},
            {resultTypes: ['violations', 'passes'], elementRef: true},
        );
        out.media = 'not all';
        const bad = results.violations.filter(({impact}) => impact === 'serious' || impact === 'critical');
        const found = bad.flatMap(({id, nodes}) => nodes.map(node =>
            ({rule: id, element: node.element, html: node.html.slice(0, 200), why: node.failureSummary ?? ''})));
        const nodes = new Set([...results.passes, ...results.violations].flatMap(
            ({nodes: its}) => its.map(({element, target}) => element ?? target.join())));
        return {found, looked: nodes.size};
    };

    const looks = {axe: axeFindings, contrasts, reach, pictures, fits};
    window.access = async (look, excepted) => {
        const {found, looked} = await looks[look]();
        return {looked, found: found.map(({element, ...rest}) => ({
            ...rest,
            excepted: excepted.findIndex(({rule, selector}) => rule === rest.rule && element?.matches?.(selector)),
        }))};
    };
}
