() => {
    // The page's half of lab.py: evaluated once in a page that shows a lesson; makes `window.lesson`.
    const app = window.jupyterapp;
    const panel = app.shell.currentWidget;
    const notebook = panel.content;
    const kernel = panel.sessionContext.session.kernel;
    const scroller = notebook.node.querySelector('.jp-WindowedPanel-outer');
    const code = () => notebook.widgets.filter(cell => cell.model.type === 'code');

    // JupyterLab says that it has run all cells as soon as one has raised, though the tag raises-exception lets the
    // rest go on, and the kernel is idle for a moment between two cells. So requests are counted here.
    const unanswered = new Set();
    let commands = 0;
    kernel.anyMessage.connect((_, {direction, msg}) => {
        const type = msg.header.msg_type;
        if (direction === 'send' && type === 'execute_request') unanswered.add(msg.header.msg_id);
        if (type === 'execute_reply' && msg.content.status === 'aborted') unanswered.delete(msg.parent_header.msg_id);
    });
    kernel.iopubMessage.connect((_, msg) => {
        if (msg.header.msg_type === 'status' && msg.content.execution_state === 'idle')
            unanswered.delete(msg.parent_header.msg_id);
    });
    const run = async (command) => {
        commands += 1;
        try { await app.commands.execute(command); } finally { commands -= 1; }
    };
    // JupyterLab gives its parts the window's new size a while after the window has it.
    const settled = () => panel.node.getBoundingClientRect().right <= innerWidth
        && app.shell.node.getBoundingClientRect().width === innerWidth;
    const drawn = async () => {
        do await new Promise(done => requestAnimationFrame(() => setTimeout(done, 100))); while (!settled());
    };
    const errors = ({outputs}) => Array.from({length: outputs.length}, (_, i) => outputs.get(i).toJSON())
        .filter(output => output.output_type === 'error')
        .map(output => `${output.ename}: ${output.evalue}`);

    app.shell.collapseLeft();
    app.shell.collapseRight();
    window.lesson = {
        idle: () => commands === 0 && unanswered.size === 0 && kernel.status === 'idle',
        drawn,
        runAll: () => run('notebook:run-all-cells'),
        runCell: index => {
            notebook.deselectAll();
            notebook.activeCellIndex = notebook.widgets.indexOf(code()[index]);
            return run('notebook:run-cell');
        },
        change: (index, old, other) => {
            const model = code()[index].model.sharedModel;
            if (!model.getSource().includes(old)) throw new Error(`cell ${index} has no ${old}`);
            model.setSource(model.getSource().replace(old, other));
        },
        cells: () => code().map(cell => ({
            source: cell.model.sharedModel.getSource(),
            tags: cell.model.getMetadata('tags') ?? [],
            text: cell.outputArea.node.innerText,
            errors: errors(cell.model),
            count: cell.model.executionCount,
        })),
        height: () => notebook.widgets.at(-1).node.getBoundingClientRect().bottom
            - scroller.getBoundingClientRect().top + scroller.scrollTop,
        shown: () => scroller.clientHeight,
        scrollTo: top => { scroller.scrollTop = top; return drawn(); },
    };
}
