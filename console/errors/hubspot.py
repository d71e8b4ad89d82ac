"""The codes of the HubSpot connector: 00x settings, 01x sign-in and scopes, 02x allowance, 03x network, 04x answers."""

from console.errors.entry import Entry
from kpi_engine.declaring import Text

HUBSPOT = (
    Entry(
        "KPI-HS-001",
        Text(
            "The HubSpot address is not encrypted",
            "La dirección de HubSpot no está cifrada",
        ),
        Text(
            "`base_url` does not begin with https. A token never travels in the clear; plain http is accepted for "
            "this machine's own addresses only.",
            "`base_url` no empieza por https. Un token nunca viaja sin cifrar; http solo se acepta para las "
            "direcciones de este mismo equipo.",
        ),
        Text(
            "Leave `base_url` out; the default is `https://api.hubapi.com`.",
            "Quite `base_url`; el valor predeterminado es `https://api.hubapi.com`.",
        ),
    ),
    Entry(
        "KPI-HS-002",
        Text(
            "There is no such HubSpot API version",
            "No existe esa versión de la API de HubSpot",
        ),
        Text(
            "HubSpot's versions are dated: a year and the month 03 or 09.",
            "Las versiones de HubSpot llevan fecha: un año y el mes 03 o 09.",
        ),
        Text(
            'Set `api_version = "2026-09"`, or `"v3"` for the legacy paths; or leave it out. The message names the '
            "part of the API where `api_versions` has a version that does not exist.",
            'Ponga `api_version = "2026-09"`, o `"v3"` para las rutas antiguas; o quite la línea. El mensaje nombra la '
            "parte de la API para la que `api_versions` pide una versión que no existe.",
        ),
    ),
    Entry(
        "KPI-HS-003",
        Text(
            "OAuth without a client id",
            "OAuth sin identificador de cliente",
        ),
        Text(
            'With `auth = "oauth"` kpisync must know which app of yours signs in.',
            'Con `auth = "oauth"`, kpisync debe saber qué aplicación suya inicia la sesión.',
        ),
        Text(
            "Set `client_id` for this connection; it is on the app's *Auth* page in HubSpot.",
            "Ponga `client_id` en esta conexión; está en la página *Auth* de la aplicación en HubSpot.",
        ),
    ),
    Entry(
        "KPI-HS-010",
        Text(
            "HubSpot does not accept the token",
            "HubSpot no acepta el token",
        ),
        Text(
            "The service key was rotated, revoked or mistyped.",
            "La clave de servicio se rotó, se revocó o está mal escrita.",
        ),
        Text(
            "Create or rotate the key (Settings › Keys › Service keys) and store it with `kpisync init`.",
            "Cree o rote la clave (Configuración › Claves › Claves de servicio) y guárdela con `kpisync init`.",
        ),
    ),
    Entry(
        "KPI-HS-011",
        Text(
            "A HubSpot secret is not stored",
            "Falta una clave de HubSpot",
        ),
        Text(
            "The connection needs a token, or with OAuth a client secret and a refresh token, and finds none.",
            "La conexión necesita un token o, con OAuth, un secreto de cliente y un token de actualización, y no "
            "los encuentra.",
        ),
        Text(
            "Run `kpisync init` (a refresh token: `kpisync connect`), or set the environment variable that the message "
            "names.",
            "Ejecute `kpisync init` (un token de actualización: `kpisync connect`), o defina la variable de entorno "
            "que nombra el mensaje.",
        ),
    ),
    Entry(
        "KPI-HS-012",
        Text(
            "A scope is missing",
            "Falta un ámbito de permiso",
        ),
        Text(
            "The token may not do this. Everything else goes on without it; the KPIs that need it are not available.",
            "El token no permite hacer esto. Todo lo demás continúa sin ello; los KPI que lo necesitan no están "
            "disponibles.",
        ),
        Text(
            "Add the scope that the message names to the service key or app; docs/hubspot.md lists them all. Some "
            "belong to higher editions only.",
            "Añada a la clave de servicio o a la aplicación el ámbito que nombra el mensaje; docs/hubspot.es.md los "
            "enumera todos. Algunos solo existen en ediciones superiores.",
        ),
    ),
    Entry(
        "KPI-HS-013",
        Text(
            "The connection was revoked",
            "La conexión fue revocada",
        ),
        Text(
            "Somebody removed the app from the portal, or revoked its access.",
            "Alguien quitó la aplicación del portal o revocó su acceso.",
        ),
        Text(
            "Run `kpisync connect`: a super admin installs the app again in the browser.",
            "Ejecute `kpisync connect`: un superadministrador instala de nuevo la aplicación en el navegador.",
        ),
    ),
    Entry(
        "KPI-HS-014",
        Text(
            "HubSpot rejects the app's sign-in",
            "HubSpot rechaza el inicio de sesión de la aplicación",
        ),
        Text(
            "Client id and client secret do not belong together, or the refresh token belongs to another app.",
            "El identificador y el secreto del cliente no van juntos, o el token de actualización es de otra "
            "aplicación.",
        ),
        Text(
            "Compare `client_id` and the stored secret with the app's page in HubSpot.",
            "Compare `client_id` y el secreto guardado con la página de la aplicación en HubSpot.",
        ),
    ),
    Entry(
        "KPI-HS-020",
        Text(
            "The day's API calls are used up",
            "Se agotaron las llamadas a la API del día",
        ),
        Text(
            "All apps of the portal share one daily allowance, and it is spent.",
            "Todas las aplicaciones del portal comparten un cupo diario, y está gastado.",
        ),
        Text(
            "It starts anew at midnight in the portal's time zone; the next run goes on from here.",
            "Empieza de nuevo a medianoche en la zona horaria del portal; la próxima ejecución continúa desde aquí.",
        ),
    ),
    Entry(
        "KPI-HS-021",
        Text(
            "HubSpot keeps asking to slow down",
            "HubSpot pide repetidamente ir más despacio",
        ),
        Text(
            "The limit for a few seconds was met again and again, although kpisync stays below it: another program "
            "uses the same token.",
            "Se alcanzó una y otra vez el límite de unos segundos, aunque kpisync se mantiene por debajo: otro "
            "programa usa el mismo token.",
        ),
        Text(
            "Give each program a key of its own.",
            "Dé a cada programa su propia clave.",
        ),
    ),
    Entry(
        "KPI-HS-022",
        Text(
            "The portal is being moved",
            "El portal se está trasladando",
        ),
        Text(
            "HubSpot is moving this portal to another data centre; until then it answers nothing.",
            "HubSpot está trasladando este portal a otro centro de datos; hasta entonces no responde.",
        ),
        Text(
            "Wait; it can take up to a day. The next run goes on from here.",
            "Espere; puede tardar hasta un día. La próxima ejecución continúa desde aquí.",
        ),
    ),
    Entry(
        "KPI-HS-023",
        Text(
            "This run has used its share of the calls",
            "Esta ejecución gastó su parte de las llamadas",
        ),
        Text(
            "kpisync leaves the rest of the day's calls to the portal's other apps: `[guards] api_budget_share`.",
            "kpisync deja el resto de las llamadas del día a las demás aplicaciones del portal: `[guards] "
            "api_budget_share`.",
        ),
        Text(
            "Nothing to do: the next run goes on from here. A first pull of a long history may want a larger share.",
            "No hay que hacer nada: la próxima ejecución continúa desde aquí. Para una primera lectura de un "
            "historial largo puede convenir una parte mayor.",
        ),
    ),
    Entry(
        "KPI-HS-024",
        Text(
            "Most of the day's API calls are used",
            "Casi todas las llamadas a la API del día están gastadas",
        ),
        Text(
            "All apps of the portal together have used the share that `[guards] api_day_share` names of today's calls. "
            "kpisync leaves the rest to others.",
            "Todas las aplicaciones del portal han gastado juntas la parte que fija `[guards] api_day_share` de las "
            "llamadas de hoy. kpisync deja el resto a las demás.",
        ),
        Text(
            "Nothing is lost: the first run after midnight in the portal's time zone goes on from here. If it happens "
            "every day, raise `[guards] api_day_share`.",
            "No se pierde nada: la primera ejecución después de medianoche en la zona horaria del portal continúa "
            "desde aquí. Si ocurre a diario, suba `[guards] api_day_share`.",
        ),
    ),
    Entry(
        "KPI-HS-030",
        Text(
            "HubSpot cannot be reached",
            "No se puede contactar con HubSpot",
        ),
        Text(
            'No answer came, or only answers that say "not now", after several tries.',
            "No llegó respuesta, o solo respuestas que dicen «ahora no», tras varios intentos.",
        ),
        Text(
            "Check the network and status.hubspot.com. Nothing was lost; the next run goes on from here.",
            "Compruebe la red y status.hubspot.com. No se ha perdido nada; la próxima ejecución continúa desde aquí.",
        ),
    ),
    Entry(
        "KPI-HS-031",
        Text(
            "HubSpot's network cannot reach its servers",
            "La red de HubSpot no alcanza sus servidores",
        ),
        Text(
            "The network in front of HubSpot answers in its place. Trying again at once does not help.",
            "La red situada delante de HubSpot responde en su lugar. Reintentar enseguida no sirve.",
        ),
        Text(
            "Wait for the next run; if it lasts, contact HubSpot's support. Nothing was lost.",
            "Espere a la próxima ejecución; si dura, contacte con el soporte de HubSpot. No se ha perdido nada.",
        ),
    ),
    Entry(
        "KPI-HS-032",
        Text(
            "HubSpot cannot sign us in now",
            "HubSpot no puede iniciar la sesión ahora",
        ),
        Text(
            "The sign-in service is overloaded or answers nonsense; the stored secrets were not judged.",
            "El servicio de inicio de sesión está sobrecargado o responde sin sentido; no se han juzgado las claves.",
        ),
        Text(
            "The next run tries again.",
            "La próxima ejecución lo intenta de nuevo.",
        ),
    ),
    Entry(
        "KPI-HS-040",
        Text(
            "HubSpot rejects a request",
            "HubSpot rechaza una petición",
        ),
        Text(
            "HubSpot understood the request and does not want it. That is a fault of kpisync or of a mapping.",
            "HubSpot entendió la petición y no la admite. Es un fallo de kpisync o de una correspondencia "
            "(`mappings`).",
        ),
        Text(
            "Check `mappings` of this connection; else report the message.",
            "Compruebe `mappings` de esta conexión; si no, comunique el mensaje.",
        ),
    ),
    Entry(
        "KPI-HS-041",
        Text(
            "HubSpot has no such thing",
            "HubSpot no tiene tal cosa",
        ),
        Text(
            "An object, a property or a record that was asked for is not in this portal.",
            "Un objeto, una propiedad o un registro que se pidió no está en este portal.",
        ),
        Text(
            "If the message names something of ours, run `kpisync provision`; else check that it exists in the portal.",
            "Si el mensaje nombra algo nuestro, ejecute `kpisync provision`; si no, compruebe que existe en el portal.",
        ),
    ),
    Entry(
        "KPI-HS-042",
        Text(
            "HubSpot answers with an unknown status",
            "HubSpot responde con un estado desconocido",
        ),
        Text(
            "The answer has a status that HubSpot's documentation does not name.",
            "La respuesta tiene un estado que la documentación de HubSpot no nombra.",
        ),
        Text(
            "Run again; if it stays, report it.",
            "Ejecute de nuevo; si persiste, comuníquelo.",
        ),
    ),
    Entry(
        "KPI-HS-043",
        Text(
            "An answer does not have its shape",
            "Una respuesta no tiene la forma debida",
        ),
        Text(
            "HubSpot, or something between, answered what its documentation does not describe.",
            "HubSpot, o algo intermedio, respondió lo que su documentación no describe.",
        ),
        Text(
            "Run again; check for a proxy on the way. If it stays, report it.",
            "Ejecute de nuevo; compruebe si hay un proxy por medio. Si persiste, comuníquelo.",
        ),
    ),
)
